"""Contracts and real source systems for the tests of extraction: SQLite, PostgreSQL, MariaDB."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
import pyarrow.parquet as pq
import pymysql
import pytest
import yaml
from psycopg2.extras import execute_batch

from extract import landing
from extract.landing import Batch, Manifest
from extract.run import extract_system
from kehu.settings import Settings

DAY = date(2026, 1, 31)


def column(name: str, physical_type: str, **more: Any) -> dict[str, Any]:
    """A column of a contract document."""
    logical = {"varchar": "string", "bigint": "integer", "double": "number"}
    kind = physical_type.partition("(")[0]
    return {
        "name": name,
        "description": f"Column {name}.",
        "logicalType": "number" if kind == "decimal" else logical.get(kind, kind),
        "physicalType": physical_type,
        "classification": "internal",
        **more,
    }


def key(name: str, physical_type: str = "varchar", **more: Any) -> dict[str, Any]:
    return column(name, physical_type, primaryKey=True, primaryKeyPosition=1, required=True, **more)


def document(
    system: str, table: str, columns: Sequence[Mapping[str, Any]], file: Any = None, **custom: Any
) -> dict[str, Any]:
    """A contract as the standard writes it; `custom` are its custom properties."""
    custom = {"deletes": "none", **custom}
    content: dict[str, Any] = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": f"{system}.{table}",
        "name": table,
        "version": "1.0.0",
        "status": "active",
        "domain": system,
        "description": {"purpose": "For tests."},
        "schema": [
            {
                "name": table,
                "physicalType": "table",
                "dataGranularityDescription": "One row per key.",
                "properties": list(columns),
            }
        ],
        "customProperties": [{"property": k, "value": v} for k, v in custom.items()],
    }
    if file:
        content["servers"] = [{"server": "folder", "type": "local", **file}]
    return content


@dataclass
class Workplace:
    """A home and a folder of contracts for one test, and the source they describe."""

    root: Path
    url: str = ""
    system: str = "billing"
    readers: int = 1

    def contract(
        self, table: str, columns: Sequence[Mapping[str, Any]], file: Any = None, **custom: Any
    ) -> Path:
        path = self.root / "contracts" / self.system / f"{table}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = document(self.system, table, columns, file, **custom)
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return path

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.root / "home",
            contract_dirs=(self.root / "contracts",),
            source_urls={self.system: self.url},
            reporting_currency="CNY",
            as_of_dates=(),
            hash_key_id="k1",
            readers=self.readers,
        )

    def extract(
        self, watermarks: Mapping[str, datetime | None] | None = None, full: bool = False
    ) -> dict[str, Landed]:
        batches = extract_system(
            self.system,
            day=DAY,
            run_id=str(uuid.uuid4()),
            watermarks=watermarks or {},
            settings=self.settings,
            full=full,
        )
        return {batch.table: self.landed(batch) for batch in batches}

    def landed(self, batch: Batch) -> Landed:
        return Landed(batch, landing.read_manifest(batch))


@dataclass
class Landed:
    batch: Batch
    manifest: Manifest

    @property
    def rows(self) -> list[dict[str, Any]]:
        return pq.read_table(self.batch.data).to_pylist()

    @property
    def keys(self) -> list[dict[str, Any]]:
        return pq.read_table(self.batch.keys).to_pylist()

    def errors(self, name: str) -> dict[Any, dict[str, str]]:
        """Cast errors by the value of column `name`."""
        return {
            row[name]: json.loads(row[landing.CAST_ERRORS])
            for row in self.rows
            if row[landing.CAST_ERRORS]
        }


@dataclass
class Source:
    """A real database for one test. `run` commits each statement."""

    kind: str
    url: str
    connect: Callable[[], Any]

    def run(self, *statements: str, rows: Sequence[Sequence[Any]] = ()) -> None:
        mark = "?" if self.kind == "sqlite" else "%s"
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            for statement in statements:
                if rows and self.kind == "postgres":
                    execute_batch(cursor, statement.replace("?", mark), rows, page_size=1000)
                elif rows:
                    cursor.executemany(statement.replace("?", mark), rows)
                else:
                    cursor.execute(statement)
            connection.commit()


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def sqlite_source(tmp_path: Path) -> Source:
    path = tmp_path / "source.db"
    sqlite3.connect(path).close()
    return Source("sqlite", f"sqlite:///{path}", lambda: sqlite3.connect(path, timeout=30))


@pytest.fixture
def postgres_source(postgres_database: str) -> Source:
    return Source("postgres", postgres_database, lambda: psycopg2.connect(postgres_database))


@pytest.fixture
def mariadb_source(mariadb_database: str) -> Source:
    parts = urlsplit(mariadb_database)

    def connect() -> Any:
        return pymysql.connect(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
            database=parts.path.lstrip("/"),
            charset="utf8mb4",
        )

    return Source("mariadb", mariadb_database, connect)


SERVERS = (
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
)


def _source(kind: str, request: pytest.FixtureRequest, place: Workplace) -> Source:
    found: Source = request.getfixturevalue(f"{kind}_source")
    place.url = found.url
    return found


@pytest.fixture(params=["sqlite", *SERVERS])
def source(request: pytest.FixtureRequest, place: Workplace) -> Source:
    """Each kind of database in turn, with `place` set to it."""
    return _source(request.param, request, place)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, place: Workplace) -> Source:
    """Each kind of database with users and passwords."""
    return _source(request.param, request, place)
