"""Columns and definitions of the raw tables, derived from the contracts.

In: a `Contract`. Out: the columns of its raw table with their descriptions and privacy classes,
and the SQL that makes the table. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from extract.contract import Column, Contract

_DERIVED = {
    "_norm": "{of}, normalised; empty when it is missing, invalid or known junk.",
    "_hash": "Keyed hash of the normalised value: {of}",
    "_pinyin": "{of}, in pinyin without tones.",
}


@dataclass(frozen=True)
class RawColumn:
    """One column of a raw table. `added` by the loader, so it holds nothing of the source."""

    name: str
    sql_type: str
    description: str
    classification: str
    added: bool = False


LOADER_COLUMNS = (
    RawColumn("_batch_id", "varchar", "Batch that brought this version.", "internal", True),
    RawColumn("_day", "date", "Business day of that batch.", "internal", True),
    RawColumn("_loaded_at", "timestamp", "Moment of the load, UTC.", "internal", True),
    RawColumn("_row_hash", "varchar", "MD5 over the contract's columns.", "internal", True),
    RawColumn("_is_current", "boolean", "Whether this is the newest version.", "internal", True),
    RawColumn(
        "_is_deleted",
        "boolean",
        "Whether the source no longer has the key; true on the current version only.",
        "internal",
        True,
    ),
)


def columns(contract: Contract, *, payload: bool = True) -> tuple[RawColumn, ...]:
    """The columns of the contract's raw table, in order.

    Without `payload` only what a load decides and reports by: key, cursor, period with its money,
    and what the loader adds. So it is where another engine reads the rest from files: see
    `warehouse.engines.lake`.
    """
    deciding = {*contract.key, contract.cursor, contract.period}
    deciding |= set(contract.money if contract.period else ())
    own = [
        RawColumn(c.name, c.physical_type, c.description, c.classification)
        for c in contract.columns
        if payload or c.name in deciding
    ]
    return (*own, *(_derived(contract) if payload else ()), *LOADER_COLUMNS)


def _derived(contract: Contract) -> Iterator[RawColumn]:
    for column in contract.columns:
        for name in column.derived:
            suffix = name.removeprefix(column.name)
            yield RawColumn(name, "varchar", _described(suffix, column), column.classification)


def _described(suffix: str, column: Column) -> str:
    return _DERIVED[suffix].format(of=column.description.rstrip("."))


def create_sql(contract: Contract, *, payload: bool = True) -> str:
    """SQL that makes the contract's raw table."""
    every = columns(contract, payload=payload)
    listed = ",\n    ".join(f"{quoted(c.name)} {c.sql_type}" for c in every)
    return f"create table raw.{quoted(contract.raw_table)} (\n    {listed}\n)"


def described(contract: Contract) -> str:
    """Comment of the raw table."""
    parts = (contract.description, contract.grain, "Here: one row per key and version.")
    return " ".join(part for part in parts if part)


def comment(column: RawColumn) -> str:
    """Comment of a column: what it is, and its privacy class."""
    return f"{column.description} [{column.classification}]"


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"
