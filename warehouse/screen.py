"""Tables for a terminal: what was loaded, and what the warehouse holds.

In: results of loads, or settings. Out: rich tables. Touches nothing: the files are read only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from kehu.errors import WarehouseError
from kehu.settings import Settings
from warehouse import connection, runs, schemas
from warehouse.connection import Connection
from warehouse.engines.marts import MART_SCHEMAS
from warehouse.raw import LoadResult

COUNTS = ("source", "landed", "loaded", "quarantined", "duplicate", "updated", "deleted")


def loads(results: Iterable[LoadResult]) -> Table:
    """One row per batch."""
    rows = [vars(result) for result in results]
    return _counts("Loaded batches", rows, ["before" if row["skipped"] else "" for row in rows])


def status(settings: Settings) -> Iterator[Table]:
    """The last load of every source table, and the rows of every mart."""
    with connection.read(settings) as con:
        if not schemas.has_ops(con):
            raise WarehouseError(
                "The warehouse file has no ops tables yet.",
                where=str(settings.work_file),
                do="run `python -m warehouse init`",
            )
        sources = runs.reconciliation(con)
        sizes = _sizes(con)
    if settings.engine != "duckdb" and settings.published_file.exists():
        # the working file holds no marts: what readers see are the last finished ones
        with connection.read_published(settings.published_file) as published:
            sizes = _sizes(published)
    yield _counts("Source tables, last load", sources, [str(row["day"]) for row in sources])
    table = Table("schema", "mart", title="Marts", box=box.SIMPLE)
    table.add_column("rows", justify="right")
    for schema, name, rows in sizes:
        table.add_row(schema, name, f"{rows:,}")
    yield table


def _sizes(con: Connection) -> list[tuple[str, str, int]]:
    """Rows of every mart."""
    marts = con.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where list_contains(?, schema_name) and not starts_with(table_name, 'int_')"
        " order by all",
        [list(MART_SCHEMAS)],
    ).fetchall()
    return [
        (schema, name, con.execute(f'select count(*) from "{schema}"."{name}"').fetchall()[0][0])
        for schema, name in marts
    ]


def _counts(title: str, rows: Sequence[Mapping[str, Any]], last: Sequence[str]) -> Table:
    table = Table(title=title, box=box.SIMPLE)
    table.add_column("source table", no_wrap=True)
    for name in COUNTS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row, remark in zip(rows, last, strict=True):
        numbers = [f"{row[name]:,}" for name in COUNTS]
        table.add_row(f"{row['system']}.{row['table']}", *numbers, remark)
    if len(rows) > 1:
        totals = [f"{sum(row[name] for row in rows):,}" for name in COUNTS]
        table.add_row("all", *totals, "", style="bold")
    return table
