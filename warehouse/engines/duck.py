"""DuckDB as the engine: everything lies in the working file.

In: settings. Out: an `Engine`. Touches the working file, opened for each call, because dbt opens
it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from extract.contract import Contract
from kehu.settings import Settings
from warehouse import connection, raw
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted


class Duck:
    """See `base.Engine`."""

    dbt_target = "duckdb"
    dbt_environment: Mapping[str, str] = MappingProxyType({})

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def register_raw(self, contracts: Iterable[Contract]) -> None:
        """The loads have put the rows there; a contract without any load gets its empty table."""
        raw.create_all(contracts, self._settings)

    def execute(self, sql: str) -> None:
        with connection.write(self._settings) as con:
            con.execute(sql)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        with connection.read(self._settings) as con:
            return con.execute(sql).fetchall()

    @contextmanager
    def read(self, table: str) -> Iterator[pa.RecordBatchReader]:
        with connection.read(self._settings) as con:
            yield con.execute(f"select * from {_name(table)}").to_arrow_reader()

    def write(self, table: str, rows: pa.Table) -> None:
        with connection.write(self._settings) as con:
            con.register("written", rows)
            con.execute(f"create schema if not exists {quoted(table.partition('.')[0])}")
            con.execute(f"create or replace table {_name(table)} as select * from written")

    def export(self, table: str, folder: Path) -> list[Path]:
        path = folder / f"{table}.parquet"
        with connection.read(self._settings) as con:
            con.execute(f"copy {_name(table)} to {literal(str(path))} (format parquet)")
        return [path]

    @contextmanager
    def attach_marts(self, con: Connection, work: str) -> Iterator[str]:
        yield work


def _name(table: str) -> str:
    return ".".join(map(quoted, table.split(".")))
