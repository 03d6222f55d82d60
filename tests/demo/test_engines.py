"""One seed, one result on every engine: the same cells in SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from demo.lifecycle import advance, create
from demo.targets import parse
from extract.contract import Contract
from kehu.errors import SourceError
from kehu.settings import SYSTEMS, Settings
from tests.demo.conftest import START, settings_in

Query = Callable[[str, str], Sequence[Sequence[Any]]]
CUSTOMERS, SEED = 120, 5


def _cell(value: Any, kind: str) -> str:
    """A cell as text, alike whatever the driver returns."""
    if value is None:
        return ""
    if kind.startswith("decimal"):
        return str(Decimal(str(value)).quantize(Decimal(1).scaleb(-int(kind[-2]))))
    if kind == "boolean":
        return str(int(value))
    return str(value)


def fingerprints(query: Query, contracts: Sequence[Contract]) -> dict[str, str]:
    found = {}
    for contract in contracts:
        kinds = [column.physical_type for column in contract.columns]
        names = ", ".join(column.physical_name for column in contract.columns)
        rows = query(contract.system, f"SELECT {names} FROM {contract.table}")
        lines = sorted("|".join(map(_cell, row, kinds)) for row in rows)
        found[contract.name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return found


def _sqlite(settings: Settings) -> Query:
    import sqlite3

    def query(system: str, sql: str) -> Sequence[Sequence[Any]]:
        with sqlite3.connect(settings.demo_sources / f"{system}.db") as connection:
            return connection.execute(sql).fetchall()

    return query


def _both_days(settings: Settings, query: Query, contracts: Sequence[Contract]) -> list[Any]:
    create(settings, customers=CUSTOMERS, seed=SEED, day=START)
    first = fingerprints(query, contracts)
    advance(settings, days=9)
    return [first, fingerprints(query, contracts)]


@pytest.fixture(scope="module")
def expected(
    tmp_path_factory: pytest.TempPathFactory, contracts: tuple[Contract, ...]
) -> list[Any]:
    settings = settings_in(tmp_path_factory.mktemp("sqlite"))
    return _both_days(settings, _sqlite(settings), contracts)


@pytest.mark.postgres
def test_postgres_holds_the_same(
    postgres_database: str, tmp_path: Path, contracts: tuple[Contract, ...], expected: list[Any]
) -> None:
    import psycopg2

    settings = settings_in(
        tmp_path, {system: f"{postgres_database}?schema={system}" for system in SYSTEMS}
    )
    reader = psycopg2.connect(postgres_database)
    reader.autocommit = True

    def query(system: str, sql: str) -> Sequence[Sequence[Any]]:
        with reader.cursor() as cursor:
            cursor.execute(f"SET search_path TO {system}")
            cursor.execute(sql)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    try:
        assert _both_days(settings, query, contracts) == expected
        create(settings, customers=CUSTOMERS, seed=SEED, day=START, force=True)
        assert fingerprints(query, contracts) == expected[0]
    finally:
        reader.close()


@pytest.mark.postgres
def test_postgres_wrong_database_says_where(postgres_database: str, tmp_path: Path) -> None:
    parts = urlsplit(postgres_database)
    urls = dict.fromkeys(SYSTEMS, f"postgresql://nobody:secret@127.0.0.1:1{parts.path}")
    with pytest.raises(SourceError) as failure:
        create(settings_in(tmp_path, urls), customers=100, seed=1, day=START)
    message = str(failure.value)
    assert "billing" in message
    assert "127.0.0.1:1/" in message
    assert "secret" not in message


@pytest.mark.mariadb
def test_mariadb_holds_the_same(
    mariadb_database: str, tmp_path: Path, contracts: tuple[Contract, ...], expected: list[Any]
) -> None:
    import pymysql

    urls = {system: f"{mariadb_database}_{system}" for system in SYSTEMS}
    settings = settings_in(tmp_path, urls)
    address = parse("billing", urls["billing"])
    reader = pymysql.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        charset="utf8mb4",
        autocommit=True,
    )
    base = urlsplit(mariadb_database).path.strip("/")

    def query(system: str, sql: str) -> Sequence[Sequence[Any]]:
        reader.select_db(f"{base}_{system}")
        with reader.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    try:
        assert _both_days(settings, query, contracts) == expected
    finally:
        with reader.cursor() as cursor:
            for system in SYSTEMS:
                cursor.execute(f"DROP DATABASE IF EXISTS `{base}_{system}`")
        reader.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("oracle://h/x", "'oracle'"),
        ("postgresql://u@h:5432/", "names no database"),
        ("mysql://u@h:3306", "names no database"),
    ],
)
def test_unusable_urls_are_refused(url: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        parse("billing", url)


def test_addresses_are_shown_without_password() -> None:
    address = parse("his", "postgresql://me:pass%40word@db.example.org/erp?schema=clinic")
    assert (address.password, address.schema, address.port) == ("pass@word", "clinic", 5432)
    assert address.shown == "postgresql://db.example.org:5432/erp?schema=clinic"
