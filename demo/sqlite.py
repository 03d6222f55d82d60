"""Source systems in SQLite files.

In: rows as Arrow tables. Out: a file per system. Touches: that file and, while it is made anew,
`<file>.new` beside it, which replaces it by one rename.
Bulk loads go through DuckDB's SQLite extension, which binds rows without Python objects.
"""

from __future__ import annotations

import importlib.resources
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import duckdb  # noqa: TID251 - the generator writes SQLite through DuckDB
import pyarrow as pa

from demo.targets import MARKER, Address, as_text, check_ours, definition
from extract.contract import Contract

_TYPES = {"varchar": "VARCHAR", "varchar key": "VARCHAR"}


class SqliteTarget:
    """One SQLite file; `rebuild` writes a new one, otherwise rows change in place."""

    def __init__(self, system: str, address: Address, *, rebuild: bool) -> None:
        self._system, self._shown = system, address.shown
        self._final = Path(address.database)
        self._rebuild = rebuild
        self._file = self._final.with_name(self._final.name + ".new") if rebuild else self._final
        self._final.parent.mkdir(parents=True, exist_ok=True)
        if rebuild:
            self._file.unlink(missing_ok=True)
        self._duck: duckdb.DuckDBPyConnection | None = None
        self._own: sqlite3.Connection | None = None

    def _connection(self) -> sqlite3.Connection:
        if self._own is None:
            self._own = sqlite3.connect(self._file, isolation_level=None)
            self._own.execute("BEGIN IMMEDIATE")
        return self._own

    def tables(self) -> set[str]:
        if not self._final.exists():
            return set()
        with sqlite3.connect(f"{self._final.resolve().as_uri()}?mode=ro", uri=True) as reader:
            rows = reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        reader.close()
        return {name for (name,) in rows}

    def create(self, contracts: Sequence[Contract]) -> None:
        check_ours(self._system, self._shown, self.tables(), contracts)
        maker = sqlite3.connect(self._file)
        for contract in contracts:
            maker.execute(definition(contract, _TYPES, contract.table))
        maker.execute(f"CREATE TABLE {MARKER} (made_by VARCHAR)")
        maker.commit()
        maker.close()
        self._file.chmod(0o600)
        self._duck = duckdb.connect()
        _load_extension(self._duck)
        quoted = str(self._file).replace("'", "''")
        # a file that is not finished is thrown away, so it needs no journal to go back by
        self._duck.execute(f"ATTACH '{quoted}' AS target (TYPE sqlite, JOURNAL_MODE 'off')")
        self._duck.execute("BEGIN")

    def load(self, contract: Contract, rows: pa.Table) -> None:
        if self._duck is not None:
            self._duck.register("arriving", rows)
            self._duck.execute(f"INSERT INTO target.main.{contract.table} SELECT * FROM arriving")
            self._duck.unregister("arriving")
            return
        columns = [as_text(column.combine_chunks()).to_pylist() for column in rows.columns]
        marks = ", ".join("?" * len(columns))
        self._connection().executemany(
            f"INSERT INTO {contract.table} VALUES ({marks})", zip(*columns, strict=True)
        )

    def delete(self, contract: Contract, keys: pa.Table) -> None:
        columns = [keys.column(part).to_pylist() for part in contract.key]
        where = " AND ".join(f"{part} = ?" for part in contract.key)
        self._connection().executemany(
            f"DELETE FROM {contract.table} WHERE {where}", zip(*columns, strict=True)
        )

    def commit(self) -> None:
        if self._duck is not None:
            self._duck.execute("COMMIT")
            self._duck.execute("DETACH target")
        if self._own is not None:
            self._own.execute("COMMIT")
        if self._rebuild:
            self._file.replace(self._final)

    def close(self) -> None:
        if self._duck is not None:
            self._duck.close()
        if self._own is not None:
            self._own.close()
        if self._rebuild:
            self._file.unlink(missing_ok=True)


def _load_extension(connection: duckdb.DuckDBPyConnection) -> None:
    """Load the SQLite extension out of its wheel: nothing is downloaded or installed."""
    wheel = importlib.resources.files("duckdb_extension_sqlite_scanner")
    file = wheel / "extensions" / f"v{duckdb.__version__}" / "sqlite_scanner.duckdb_extension"
    with importlib.resources.as_file(file) as path:
        connection.execute(f"LOAD '{path}'")
