"""The two clusters as engines of the parity test: dbt runs on them, tables come back as Arrow.

In: a `Server`. Out: what `tests/parity/engines.py` promises of an engine.
Touches: the tables of that server, and a folder for dbt's artefacts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.cluster.servers import Server
from tests.parity.engines import RAW, run_dbt

_TYPES = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp_ntz": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Cluster:
    """What both have in common."""

    server: Server

    def dbt(self, project: Path, *command: str, as_of_dates: Sequence[str] = ()) -> Any:
        target = self.server.address.dbt_target
        with self.server.chosen():
            return run_dbt(project, target, self.server.folder / "dbt", command, as_of_dates)

    def register(self, folder: Path) -> None:
        """Raw tables: every Parquet file of a folder under its own name, as an external table."""
        self.execute(f"create schema if not exists {RAW}")
        for file in sorted(folder.glob("*.parquet")):
            self.execute(f"drop table if exists {RAW}.{file.stem}")
            self.execute(f"create table {RAW}.{file.stem} using parquet location '{file}'")

    def execute(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        raise NotImplementedError


@dataclass(frozen=True)
class Thrift(Cluster):
    """Spark 3.5 behind a Thrift server: rows come back as Python's values, with names of types."""

    cursor: Any = field(repr=False)
    name: str = "spark 3.5"

    def execute(self, statement: str) -> None:
        self.cursor.execute(statement)

    def table(self, name: str) -> pa.Table:
        self.cursor.execute(f"describe query select * from {name}")
        schema = pa.schema([(row[0], _arrow_type(row[1])) for row in self.cursor.fetchall()])
        self.cursor.execute(f"select * from {name}")
        rows = self.cursor.fetchall()
        return pa.table(
            [
                pa.array([_value(row[place], kind.type) for row in rows], kind.type)
                for place, kind in enumerate(schema)
            ],
            schema=schema,
        )


@dataclass(frozen=True)
class Connect(Cluster):
    """Spark 4.1 behind Spark Connect: tables come back as Arrow."""

    session: Any = field(repr=False)
    name: str = "spark 4.1"

    def execute(self, statement: str) -> None:
        self.session.sql(statement)

    def table(self, name: str) -> pa.Table:
        return self.session.table(name).toArrow()


def _arrow_type(kind: str) -> pa.DataType:
    decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", kind)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return _TYPES[kind]


def _value(value: Any, kind: pa.DataType) -> Any:
    # Hive's protocol gives days as texts.
    return date.fromisoformat(value) if pa.types.is_date(kind) and value else value
