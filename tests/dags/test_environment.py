"""What Airflow and dbt are told before they start."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from dags import environment, servers
from dags.__main__ import default_day
from kehu.errors import SettingsError
from kehu.settings import CLONE, Settings, load
from tests.dags.rounds import assert_day


def test_airflow_lives_in_the_home_on_loopback_and_calls_nobody(settings: Settings) -> None:
    told = environment.variables(settings, 8080)
    assert told["AIRFLOW_HOME"] == str(settings.home / "airflow")
    assert told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith(f"sqlite:///{settings.home}/")
    assert told["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert told["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert told["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "False"
    assert told["DO_NOT_TRACK"] == "1"
    assert told["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert told["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "False"
    assert all(Path(told[key]).is_absolute() for key in ("DBT_TARGET_PATH", "KEHU_WORK_FILE"))


def test_postgresql_metadata_by_setting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEHU_AIRFLOW_DB", "postgresql+psycopg2://a@127.0.0.1/b")
    told = environment.variables(settings, 8080)
    assert told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://a@127.0.0.1/b"


@pytest.mark.postgres
def test_metadata_lives_in_postgresql_when_told_so(postgres_database: str, tmp_path: Path) -> None:
    """Made anew, then found as it is; with the pool of the one writer."""
    import psycopg2

    url = "postgresql+psycopg2" + postgres_database.removeprefix("postgresql")
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "dags", "db"],
            cwd=CLONE,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW__DATABASE")},
                "KEHU_HOME": str(tmp_path),
                "KEHU_AIRFLOW_DB": url,
                "PYTHONPATH": str(CLONE),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "Airflow's database is ready.\n"
    with psycopg2.connect(postgres_database) as con, con.cursor() as cursor:
        cursor.execute("select slots from slot_pool where pool = %s", [environment.POOL])
        assert cursor.fetchall() == [(1,)]
    con.close()
    assert not list(tmp_path.rglob("airflow.db"))


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_a_bad_port_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match="is no port"):
        environment.port({"KEHU_AIRFLOW_PORT": port})


def test_a_missing_key_is_named(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__CORE__FERNET_KEY")
    with pytest.raises(SettingsError) as raised:
        environment.prepare(load())
    assert "AIRFLOW__CORE__FERNET_KEY" in raised.value.where
    assert "make env" in raised.value.do


def test_another_home_after_the_import_is_refused(airflow_home: Path, settings: Settings) -> None:
    """Airflow reads its home once; two in one process would mix their databases."""
    import airflow  # noqa: F401

    with pytest.raises(SettingsError, match="before its environment was set"):
        environment.prepare(settings)


def test_day_of_a_run(airflow_home: Path, settings: Settings) -> None:
    assert_day(settings)


def test_default_day_is_the_day_of_the_embedded_sources(settings: Settings) -> None:
    truth = settings.demo_sources / "truth"
    truth.mkdir(parents=True)
    urls = {system: settings.source_url(system) for system in ("billing", "his", "orders")}
    urls["service"] = settings.source_url("service")
    (truth / "state.json").write_text(
        '{"today": "2026-02-03", "databases": ' + str(urls).replace("'", '"') + "}",
        encoding="utf-8",
    )
    assert default_day(settings) == date(2026, 2, 3)
    (truth / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError, match="do not say which day"):
        default_day(settings)


def test_default_day_is_yesterday_for_other_sources(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEHU_BILLING_URL", "sqlite:////elsewhere.db")
    assert (date.today() - default_day(load())).days in (0, 1)  # noqa: DTZ011 - zones differ


def test_a_queue_makes_workers_of_celery(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = environment.variables(settings, 8080)
    assert alone["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert not [name for name in alone if "CELERY" in name]

    monkeypatch.setenv("KEHU_AIRFLOW_BROKER", "redis://:s3cret@queue:6379/0")
    monkeypatch.setenv("KEHU_AIRFLOW_DB", "postgresql+psycopg2://airflow@db/airflow")
    monkeypatch.setenv("KEHU_AIRFLOW_URL", "https://airflow.example/")
    told = environment.variables(settings, 8080)
    assert told["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert told["AIRFLOW__CELERY__BROKER_URL"] == "redis://:s3cret@queue:6379/0"
    assert told["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "https://airflow.example/execution/"
    assert told["AIRFLOW__API__HOST"] == "127.0.0.1", "a proxy stands before it"


def test_workers_need_a_database_that_all_reach() -> None:
    with pytest.raises(SettingsError) as raised:
        environment.broker({"KEHU_AIRFLOW_BROKER": "redis://:s3cret@queue:6379/0"})
    assert raised.value.where == "environment variable KEHU_AIRFLOW_DB"
    assert "s3cret" not in str(raised.value)


def test_a_worker_without_a_queue_says_so(airflow_home: Path) -> None:
    with pytest.raises(SettingsError, match="no queue to take tasks from"):
        servers.work(load(), "first")
