"""The environment that Airflow and dbt run in, set in one place before either is imported.

In: `kehu.settings`, the keys that `.env` holds. Out: environment variables of this process and of
what it starts. Touches: nothing on disk, except that `write_env_file` makes `.env` (0600).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from kehu.errors import SettingsError
from kehu.settings import CLONE, Settings

SPARK_CONNECTION = "kehu_spark"
"""The Airflow connection that says where Spark listens, and with which login."""

POOL = "warehouse_writer"
"""The pool of one slot that every task takes which opens the working file for writing."""

KEYS = ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")
"""What Airflow encrypts and signs with; random per installation, in `.env`."""


_homes: list[str] = []
"""The home that this process was prepared for."""


def airflow_home(settings: Settings) -> Path:
    return settings.home / "airflow"


def failures_file(settings: Settings) -> Path:
    """Where a failed task leaves one line: what, where, what to do."""
    return settings.run_reports / "failures.jsonl"


def port(environ: MutableMapping[str, str] | None = None) -> int:
    """Port of the Airflow UI on loopback."""
    text = (os.environ if environ is None else environ).get("KEHU_AIRFLOW_PORT") or "8080"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingsError(
            f"{text!r} is no port.",
            where="environment variable KEHU_AIRFLOW_PORT",
            do="give a number between 1 and 65535",
        )
    return int(text)


def broker(environ: Mapping[str, str] | None = None) -> str | None:
    """URL of the queue that workers of other machines take tasks from; None without such workers.

    Raises `SettingsError` when Airflow's own database is a file of this machine.
    """
    env = os.environ if environ is None else environ
    found = env.get("KEHU_AIRFLOW_BROKER") or None
    if found and not (env.get("KEHU_AIRFLOW_DB") or "sqlite").startswith(("postgresql", "mysql")):
        raise SettingsError(
            "Workers of several machines need a database of Airflow that all of them reach.",
            where="environment variable KEHU_AIRFLOW_DB",
            do="give postgresql+psycopg2://user:password@host:5432/airflow, or leave"
            " KEHU_AIRFLOW_BROKER empty",
        )
    return found


def _executor(api_port: int) -> dict[str, str]:
    """Where tasks run: processes of this machine, or Celery's workers on any."""
    api = (os.environ.get("KEHU_AIRFLOW_URL") or f"http://127.0.0.1:{api_port}").rstrip("/")
    told = {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",
        "AIRFLOW__API__BASE_URL": api,
    }
    if queue := broker():
        told |= {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CELERY__BROKER_URL": queue,
            # Few and heavy tasks: none waits behind another in the hands of a busy worker.
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
        }
    return told


def variables(settings: Settings, api_port: int) -> dict[str, str]:
    """Everything Airflow and dbt are told, except the keys."""
    home = airflow_home(settings)
    metadata = os.environ.get("KEHU_AIRFLOW_DB") or (
        # Several processes write it: one waits for another instead of failing after 5 s.
        f"sqlite:///{home / 'airflow.db'}?timeout=60"
    )
    return {
        **_executor(api_port),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(CLONE / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(api_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(
            home / "logs" / "dag_processor"
        ),
        # Restricted: a log may name files of the restricted zone.
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        # Nothing calls home: neither Airflow nor a provider nor dbt.
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__OPENLINEAGE__DISABLED": "True",
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
        # dbt's profile reads these; absolute, so that its parse cache holds in every process.
        "KEHU_HOME": str(settings.home),
        "KEHU_WORK_FILE": str(settings.work_file),
        "KEHU_MEMORY": settings.memory,
        "KEHU_THREADS": str(settings.threads),
        "DBT_PROJECT_DIR": str(settings.dbt_project),
        "DBT_PROFILES_DIR": str(settings.dbt_project),
        "DBT_TARGET_PATH": str(settings.dbt_target),
        "DBT_LOG_PATH": str(settings.dbt_target.parent / "logs"),
    }


def prepare(settings: Settings, api_port: int | None = None) -> None:
    """Set the environment; call before Airflow is imported, which reads it once.

    Raises `SettingsError` when a key is missing, or Airflow is imported already with another home.
    """
    told = variables(settings, api_port or port())
    if "airflow" in sys.modules and told["AIRFLOW_HOME"] not in _homes:
        raise SettingsError(
            "Airflow was imported before its environment was set.",
            where="dags/environment.py",
            do="call dags.environment.prepare first",
        )
    for key in KEYS:
        if not os.environ.get(key):
            raise SettingsError(
                "A key of Airflow is missing.",
                where=f"environment variable {key}",
                do="run `make env`, which writes .env with random keys, and use make",
            )
    os.environ.update(told)
    if settings.engine == "spark" and os.environ.get("KEHU_SPARK_URL"):
        os.environ.setdefault(f"AIRFLOW_CONN_{SPARK_CONNECTION.upper()}", _connection(settings))
    _homes[:] = [told["AIRFLOW_HOME"]]
    # Packages are compiled once, not in every process.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(CLONE) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(CLONE), *filter(None, paths)])


def _connection(settings: Settings) -> str:
    """KEHU_SPARK_URL as Airflow reads connections."""
    from warehouse.engines.address import Address

    address = Address.parse(settings.spark_url())
    return json.dumps(
        {
            "conn_type": address.scheme,
            "host": address.host,
            "port": address.port,
            "login": address.user,
            "password": address.secret,
            "extra": dict(address.options),
        }
    )


@contextmanager
def set_during(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables that stand in the environment during a block only: a login may be among them."""
    kept = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def write_env_file(path: Path) -> bool:
    """Write `.env` with random keys unless it exists; whether it was written."""
    lines = [
        "# Written by `make env`. Keep it as you keep the data: whoever has KEHU_HASH_KEY can",
        "# link pseudonyms to known numbers. Every other setting is explained in .env.example.",
        f"KEHU_HASH_KEY={secrets.token_hex(32)}",
        "KEHU_HASH_KEY_ID=k1",
        f"AIRFLOW__CORE__FERNET_KEY={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        f"AIRFLOW__API__SECRET_KEY={secrets.token_hex(32)}",
        f"AIRFLOW__API_AUTH__JWT_SECRET={secrets.token_hex(32)}",
    ]
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return True
