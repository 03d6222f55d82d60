"""Two engines for one dbt project: DuckDB, and Sail, which speaks Spark Connect without a JVM.

In: a project folder, what dbt is to do, variables. Out: dbt's results, and tables as Arrow.
Touches: the DuckDB file and the warehouse folder it is given; the server listens on loopback only.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

RAW = "raw"


class Engine(Protocol):
    """Where a project is built and what it holds afterwards."""

    name: str

    def dbt(self, project: Path, *command: str, as_of_dates: Sequence[str] = ()) -> Any:
        """Run dbt; fails with its own words when it does not succeed."""

    def table(self, name: str) -> pa.Table:
        """All rows of `<schema>.<table>`."""


@dataclass(frozen=True)
class Duck:
    """A DuckDB file."""

    file: Path
    name: str = "duckdb"

    def dbt(self, project: Path, *command: str, as_of_dates: Sequence[str] = ()) -> Any:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("KEHU_WORK_FILE", str(self.file))
            try:
                return run_dbt(project, self.name, self.file.parent, command, as_of_dates)
            finally:
                DuckDBConnectionManager.close_all_connections()

    def table(self, name: str) -> pa.Table:
        with self.opened() as connection:
            return connection.sql(f"select * from {name}").to_arrow_table()

    def tables(self) -> dict[str, pa.Table]:
        """Every table and view that dbt made."""
        with self.opened() as connection:
            found = connection.sql(
                "select table_schema || '.' || table_name from information_schema.tables"
                f" where table_schema not in ('{RAW}', 'ops') order by 1"
            ).fetchall()
            return {
                name: connection.sql(f"select * from {name}").to_arrow_table() for (name,) in found
            }

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file, to read."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            yield connection


@dataclass(frozen=True)
class Sail:
    """A session on a server in this process; its catalogue lives as long as the session."""

    session: Any
    folder: Path
    name: str = "spark"

    def dbt(self, project: Path, *command: str, as_of_dates: Sequence[str] = ()) -> Any:
        return run_dbt(project, self.name, self.folder, command, as_of_dates)

    def table(self, name: str) -> pa.Table:
        return self.session.table(name).toArrow()

    def register(self, folder: Path) -> None:
        """Raw tables: every Parquet file of a folder under its own name, as an external table."""
        self.session.sql(f"create schema if not exists {RAW}")
        for file in sorted(folder.glob("*.parquet")):
            self.session.sql(f"drop table if exists {RAW}.{file.stem}")
            self.session.sql(f"create table {RAW}.{file.stem} using parquet location '{file}'")


@contextmanager
def sail(folder: Path) -> Iterator[Sail]:
    """A server on a free port of loopback, and the session that dbt will use as well."""
    from pysail.spark import SparkConnectServer

    if sys.modules.get("pyspark") is None:
        sys.modules.pop("pyspark", None)  # `expectations` hides it
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    kept = os.environ.get("SPARK_REMOTE")
    os.environ["SPARK_REMOTE"] = f"sc://{host}:{port}"
    try:
        with warnings.catch_warnings():
            # the client warns of pandas 3 and of every import of itself
            warnings.simplefilter("ignore", FutureWarning)
            from pyspark.sql import SparkSession

            session = SparkSession.builder.config(
                "spark.sql.warehouse.dir", str(folder / "tables")
            ).getOrCreate()
        yield Sail(session, folder)
        session.stop()
    finally:
        server.stop()
        if kept is None:
            del os.environ["SPARK_REMOTE"]
        else:
            os.environ["SPARK_REMOTE"] = kept


def run_dbt(
    project: Path, target: str, folder: Path, command: Sequence[str], as_of_dates: Sequence[str]
) -> Any:
    variables = {"as_of_dates": list(as_of_dates)} if as_of_dates else {}
    outcome = dbtRunner().invoke(
        [
            *command,
            *(
                "--quiet",
                "--no-version-check",
                "--no-use-colors",
                "--no-send-anonymous-usage-stats",
            ),
            *("--project-dir", str(project), "--profiles-dir", str(project), "--target", target),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            *("--vars", json.dumps(variables)),
        ]
    )
    failed = [
        f"{result.node.name}: {result.message}"
        for result in getattr(outcome.result, "results", None) or []
        if str(result.status) not in ("success", "pass", "no-op")
    ]
    assert outcome.success and not failed, outcome.exception or "\n".join(failed)
    return outcome.result
