"""What all tests share: fixed keys, a home of their own, and databases on servers that answer.

No test reads or writes `data/`, `.env` or the settings of whoever runs it. A server is looked for
at KEHU_TEST_POSTGRES_URL / KEHU_TEST_MARIADB_URL, else at the usual port of this machine with the
usual administrator without a password; tests of a server that does not answer are skipped.
`.ci/run` starts those that are installed (`.ci/servers.py`), and fails when a test was skipped
although its server answers.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from kehu.settings import Settings, load
from tests import own_servers

KEYS = {
    "KEHU_HASH_KEY": "0123456789abcdef0123456789abcdef",
    "KEHU_HASH_KEY_ID": "test",
    "AIRFLOW__CORE__FERNET_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "AIRFLOW__API__SECRET_KEY": "test-0123456789abcdef0123456789abcdef",
    "AIRFLOW__API_AUTH__JWT_SECRET": "test-0123456789abcdef0123456789abcdef0123456789abcdef012345",
}


# Spark's client takes a process whose main module has no file for one that runs its doctests; the
# processes of pytest-xdist are such.
sys.modules["__main__"].__dict__.setdefault("__file__", __file__)


SHARED = {"dags": "airflow_home", "dbt_project": "marts"}
"""Folders whose modules may run apart, and the fixture that keeps tests together which use it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes share the tests of `make test`, folder by folder, so that what several tests
    look at is made once; the long folders module by module, but for what shares one build."""
    for item in items:
        group = item.path.parent.name
        if group in SHARED and SHARED[group] not in getattr(item, "fixturenames", ()):
            group = f"{group}/{item.path.stem}"
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session", autouse=True)
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Fixed keys and a home below pytest's folder, for the whole session."""
    kept = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("KEHU_")]:
        if not name.startswith("KEHU_TEST_"):
            del os.environ[name]
    os.environ.update(KEYS)
    # Two processes run the tests, and a query that waits for its second thread takes a core.
    os.environ["KEHU_THREADS"] = "1"
    home = tmp_path_factory.mktemp("home")
    os.environ["KEHU_HOME"] = str(home)
    yield home
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a home that only this test uses."""
    monkeypatch.setenv("KEHU_HOME", str(tmp_path / "home"))
    return load()


def _server(kind: str) -> str:
    url = own_servers.url_of(kind)
    if not own_servers.answers(url):
        where, (variable, _) = urlsplit(url), own_servers.USUAL[kind]
        pytest.skip(f"no {kind} server answers at {where.hostname}:{where.port} ({variable})")
    return url


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """URL of a PostgreSQL server, as its administrator."""
    return _server("postgres")


@pytest.fixture(scope="session")
def mariadb_server() -> str:
    """URL of a MariaDB server, as its administrator."""
    return _server("mariadb")


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[str]:
    """URL of a new, empty PostgreSQL database that is dropped afterwards."""
    import psycopg2

    name = f"kehu_test_{secrets.token_hex(6)}"
    admin = psycopg2.connect(postgres_server)
    admin.autocommit = True
    try:
        with admin.cursor() as cursor:
            cursor.execute(f'create database "{name}"')
        yield urlsplit(postgres_server)._replace(path=f"/{name}").geturl()
    finally:
        with admin.cursor() as cursor:
            cursor.execute(f'drop database if exists "{name}" with (force)')
        admin.close()


@pytest.fixture
def mariadb_database(mariadb_server: str) -> Iterator[str]:
    """URL of a new, empty MariaDB database that is dropped afterwards."""
    import pymysql

    name = f"kehu_test_{secrets.token_hex(6)}"
    parts = urlsplit(mariadb_server)
    admin = pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        autocommit=True,
    )
    try:
        with admin.cursor() as cursor:
            cursor.execute(f"create database `{name}` character set utf8mb4")
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        with admin.cursor() as cursor:
            cursor.execute(f"drop database if exists `{name}`")
        admin.close()


@dataclass(frozen=True)
class TestBucket:
    """A new, empty bucket with a prefix for landing, and a client of another library to look in."""

    __test__ = False
    name: str
    endpoint: str
    client: Any

    @property
    def url(self) -> str:
        return f"s3://{self.name}/landing?endpoint_override={self.endpoint}&region=us-east-1"

    def objects(self) -> list[str]:
        """Keys of all objects; what ends with a slash is a folder's mark, not a file."""
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [each["Key"] for each in found if not each["Key"].endswith("/")]

    def flip(self, key: str) -> None:
        """Change one bit in the middle of an object."""
        content = bytearray(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())
        content[len(content) // 2] ^= 1
        self.client.put_object(Bucket=self.name, Key=key, Body=bytes(content))


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """Address of an S3-compatible server on loopback."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(object_store: str, monkeypatch: pytest.MonkeyPatch) -> TestBucket:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-access-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret-key")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    name = f"kehu-test-{secrets.token_hex(6)}"
    client = boto3.client("s3", endpoint_url=object_store, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    return TestBucket(name, object_store, client)
