"""What every engine can do. Stages speak to this; only `warehouse.engines` knows which it is.

Ledger, watermarks, the books of runs and what a load decides by stay in DuckDB's working file with
either engine; an engine holds the raw rows that models read, and what models make of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from extract.contract import Contract
from warehouse.connection import Connection


class Engine(Protocol):
    """An engine, open for one task. Tables are named `<schema>.<table>`."""

    dbt_target: str
    """Name of its output in `dbt_project/profiles.yml`."""

    dbt_environment: Mapping[str, str]
    """Variables that the output reads; they hold the login, so set them around dbt only."""

    def register_raw(self, contracts: Iterable[Contract]) -> None:
        """Let models read every row that the ledger names as `raw.<table>`; only what is new
        costs anything. Derived from the ledger each time, so a crash before loses nothing."""

    def execute(self, sql: str) -> None:
        """Run one statement."""

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of one query."""

    def read(self, table: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """The rows of a table, in batches."""

    def write(self, table: str, rows: pa.Table) -> None:
        """Make a table of these rows, in place of the one that has the name."""

    def export(self, table: str, folder: Path) -> list[Path]:
        """Write a table as Parquet files into an empty folder of this machine; none when empty
        is possible."""

    def attach_marts(self, con: Connection, work: str) -> AbstractContextManager[str]:
        """Name of the catalog of `con` in which the finished marts can be read, with the types
        that models promise. `work` is the catalog of the working file."""
