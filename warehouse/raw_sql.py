"""Pieces of SQL over raw tables and landed files, and numbers fetched with them.

In: contracts, paths, statements. Out: text or numbers. Touches what a statement touches.
"""

from __future__ import annotations

from pathlib import Path

from extract.contract import Contract
from warehouse.connection import Connection
from warehouse.ddl.raw_tables import literal, quoted


def table_of(contract: Contract) -> str:
    return f"raw.{quoted(contract.raw_table)}"


def listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def parquet(path: Path, *, numbered: bool = False) -> str:
    return f"read_parquet({literal(str(path))}, file_row_number = {str(numbered).lower()})"


def row(con: Connection, sql: str) -> tuple[int, ...]:
    return con.execute(sql).fetchone() or ()


def number(con: Connection, sql: str) -> int:
    return int(row(con, sql)[0])
