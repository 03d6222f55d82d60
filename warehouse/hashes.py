"""Hashes of rows and tables that say whether content is the same.

In: column names and types, or a DuckDB file. Out: SQL expressions, and one hash per table that
depends neither on the order of rows nor on what differs between two runs over the same data.
Touches nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warehouse import connection
from warehouse.ddl.raw_tables import literal, quoted

RUN_COLUMNS = frozenset(
    {"run_id", "_loaded_at", "loaded_at", "moved_at", "built_at", "computed_at", "published_at"}
)
"""Columns that tell when and by which run a row was made, not what it says."""

_HASHED_OPS = ("ledger", "watermarks")
"""Of the schema ops only what says which data is in; the rest tells of runs and their times."""


def row_text(columns: Iterable[tuple[str, str]], alias: str = "") -> str:
    """SQL of a text that is equal for equal rows only; `columns` are names and SQL types.

    Empty cells are left out, so a new column that is empty in old rows changes no text; texts
    carry their length, so no cell can pose as two.
    """
    prefix = f"{alias}." if alias else ""
    parts = []
    for name, sql_type in sorted(columns):
        cell = f"{prefix}{quoted(name)}"
        if sql_type.lower().startswith(_PLAIN):
            parts.append(f"{literal(name + '=')} || cast({cell} as varchar)")
        else:
            text = f"cast({cell} as varchar)"
            parts.append(f"{literal(name + '=')} || strlen({text}) || ':' || {text}")
    return f"concat_ws(chr(31), {', '.join(parts)})"


_PLAIN = ("decimal", "bigint", "integer", "date", "timestamp", "double", "boolean")


def row_hash(columns: Iterable[tuple[str, str]], alias: str = "") -> str:
    """SQL of the MD5 of `row_text`, in hex."""
    return f"md5({row_text(columns, alias)})"


@dataclass(frozen=True)
class Content:
    """How many rows a table has, and their hash."""

    rows: int
    hash: str


def contents(path: Path) -> dict[str, Content]:
    """Rows and hash per table as in `table_hashes`, without the views of the file."""
    with _reading(path) as database:
        return _contents(database, "BASE TABLE")


def table_hashes(path: Path) -> dict[str, str]:
    """Hash per table (`schema.table`) of a DuckDB file, without run ids and load times.

    Reads every block of every table. Raises `DamagedError` when one is not what was written.
    """
    with _reading(path) as database:
        found = _contents(database, "BASE TABLE", "VIEW")
        return {table: content.hash for table, content in found.items()}


@contextmanager
def _reading(path: Path) -> Iterator[connection.Connection]:
    with connection.read_published(path) as database:
        try:
            yield database
        except connection.Error as error:
            if connection.is_damage(error):
                raise connection.damaged(path) from None
            raise


def _contents(database: connection.Connection, *kinds: str) -> dict[str, Content]:
    listed = database.execute(
        "select table_schema, table_name, column_name, data_type"
        " from information_schema.columns inner join information_schema.tables"
        " using (table_catalog, table_schema, table_name)"
        " where table_catalog = current_database() and list_contains(?, table_type)"
        " order by table_schema, table_name, ordinal_position",
        [list(kinds)],
    ).fetchall()
    tables: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for schema, table, column, data_type in listed:
        if schema != "ops" or table in _HASHED_OPS:
            kept = tables.setdefault((schema, table), [])
            if column not in RUN_COLUMNS:
                kept.append((column, data_type))
    return {
        f"{schema}.{table}": _content(database, schema, table, columns)
        for (schema, table), columns in tables.items()
    }


def _content(
    database: connection.Connection, schema: str, table: str, columns: list[tuple[str, str]]
) -> Content:
    """Sums of both halves of each row's MD5: the order of rows does not matter, repeats do."""
    found = database.execute(
        f"select count(*), sum(cast(md5_number_lower(text) as hugeint)),"
        f" sum(cast(md5_number_upper(text) as hugeint))"
        f" from (select {row_text(columns)} as text from {quoted(schema)}.{quoted(table)})"
    ).fetchone()
    digest = hashlib.md5(repr((columns, found)).encode(), usedforsecurity=False).hexdigest()
    return Content(int(found[0]) if found else 0, digest)
