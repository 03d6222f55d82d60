"""Schemas `raw` and `ops` of the working file, made and kept as the contracts say.

In: a connection, contracts. Out: nothing. Touches the catalog of the working file, and only where
it differs: most runs find every table as it should be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from extract.contract import Contract
from kehu.errors import WarehouseError
from warehouse.connection import Connection
from warehouse.ddl import raw_tables
from warehouse.ddl.raw_tables import literal, quoted

_OPS = Path(__file__).parent / "ddl" / "ops.sql"


def has_ops(con: Connection) -> bool:
    """Whether the ops tables exist; a reader cannot make them."""
    names = re.findall(r"create table if not exists ops\.(\w+)", _OPS.read_text(encoding="utf-8"))
    found = con.execute("select table_name from duckdb_tables() where schema_name = 'ops'")
    return set(names) <= {name for (name,) in found.fetchall()}


Held = dict[str, dict[str, tuple[str, str | None]]]
"""Raw table to column to its type and comment."""


def create(con: Connection, contracts: Iterable[Contract], *, payload: bool = True) -> None:
    """Make what is missing. Raises `WarehouseError` when a column has another type by now.

    A table is made with its whole rows, or without `payload` with keys, cursor and what the loader
    adds. One that is there keeps the kind it has (`payload.restore` gives it the rows back).
    """
    if not has_ops(con):
        con.execute(_OPS.read_text(encoding="utf-8"))
    there = held(con)
    for contract in {contract.raw_table: contract for contract in contracts}.values():
        columns = there.get(contract.raw_table, {})
        whole = holds_payload(contract, columns) if columns else payload
        for statement in _missing(contract, columns, payload=whole):
            con.execute(statement)


def held(con: Connection) -> Held:
    """The columns that the raw tables have."""
    there: Held = {}
    for table, column, sql_type, comment in con.execute(
        "select table_name, column_name, data_type, comment from duckdb_columns()"
        " where schema_name = 'raw' and database_name = current_database()"
    ).fetchall():
        there.setdefault(table, {})[column] = (sql_type.lower(), comment)
    return there


def holds_payload(contract: Contract, there: Iterable[str]) -> bool:
    """Whether a table with these columns holds whole rows."""
    every, deciding = (
        {column.name for column in raw_tables.columns(contract, payload=payload)}
        for payload in (True, False)
    )
    return every == deciding or bool((every - deciding) & set(there))


def _missing(
    contract: Contract, there: dict[str, tuple[str, str | None]], *, payload: bool
) -> Iterator[str]:
    table = f"raw.{quoted(contract.raw_table)}"
    every = raw_tables.columns(contract, payload=payload)
    if not there:
        yield raw_tables.create_sql(contract, payload=payload)
        yield f"comment on table {table} is {literal(raw_tables.described(contract))}"
    for column in every:
        sql_type, comment = there.get(column.name, (None, None))
        if there and sql_type is None:
            yield f"alter table {table} add column {quoted(column.name)} {column.sql_type}"
        elif there and sql_type != column.sql_type:
            raise WarehouseError(
                f"The column {column.name} is {sql_type}, the contract says {column.sql_type}.",
                where=f"{contract.path}; table {table}",
                do="give the changed column a new name in the contract, or rebuild the warehouse "
                "from landing",
            )
        if comment != raw_tables.comment(column):
            yield (
                f"comment on column {table}.{quoted(column.name)} is "
                f"{literal(raw_tables.comment(column))}"
            )
