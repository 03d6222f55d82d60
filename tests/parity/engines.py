"""dbt on either engine for a project of its own: DuckDB, and a server of Spark's SQL.

In: a project folder, what dbt is to do. Out: nothing but tables, which come back as Arrow.
Touches: the DuckDB file or the session it is given, and a folder for dbt's artefacts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from kehu.settings import CLONE
from tests.parity.days import table_on_spark
from warehouse.engines import Address, sessions

PROJECT = CLONE / "dbt_project"


class Engine(Protocol):
    """Where a project is built and what it holds afterwards."""

    name: str

    def dbt(self, project: Path, *command: str) -> None:
        """Run dbt; fails with its own words when it does not succeed."""

    def table(self, name: str) -> pa.Table:
        """All rows of `<schema>.<table>`."""


@dataclass(frozen=True)
class Duck:
    """A DuckDB file."""

    file: Path
    name: str = "duckdb"

    def dbt(self, project: Path, *command: str) -> None:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("KEHU_WORK_FILE", str(self.file))
            try:
                _run(project, "duckdb", self.file.parent, command)
            finally:
                DuckDBConnectionManager.close_all_connections()

    def table(self, name: str) -> pa.Table:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.sql(f"select * from {name}").to_arrow_table()


@dataclass(frozen=True)
class Spark:
    """A server that speaks Spark's SQL: Spark, or a cluster over Connect or Thrift."""

    url: str
    folder: Path
    table_format: str = "delta"
    name: str = "spark"

    def dbt(self, project: Path, *command: str) -> None:
        address = Address.parse(self.url)
        with pytest.MonkeyPatch.context() as environment, sessions.opened(address):
            environment.setenv("KEHU_SPARK_TABLE_FORMAT", self.table_format)
            for name, value in address.dbt_environment.items():
                environment.setenv(name, value)
            _run(project, address.dbt_target, self.folder, command)

    def table(self, name: str) -> pa.Table:
        with sessions.opened(Address.parse(self.url)) as session:
            return table_on_spark(session, name)


def _run(project: Path, target: str, folder: Path, command: tuple[str, ...]) -> None:
    outcome = dbtRunner().invoke(
        [
            *command,
            *("--quiet", "--no-version-check", "--no-use-colors"),
            "--no-send-anonymous-usage-stats",
            *("--project-dir", str(project), "--profiles-dir", str(project), "--target", target),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ]
    )
    failed = [
        f"{result.node.name}: {result.message}"
        for result in getattr(outcome.result, "results", None) or []
        if str(result.status) not in ("success", "pass", "no-op")
    ]
    assert outcome.success and not failed, outcome.exception or "\n".join(failed)
