"""SQLite: one read transaction over all tables.

In: the file of a SQLite database. Out: a `Snapshot`. Touches: opens the file read-only.

The standard library reads it on one connection, hence one snapshot; DuckDB's scanner opens a
connection per thread and would tear, because each begins with what is in the file by then. SQLite
types cells, not columns: the contract decides.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

import pyarrow as pa

from extract import casting, decimals
from extract.casting import Array
from extract.connectors.base import Address, Measure, quoted, read_failed
from extract.contract import Column, Contract
from extract.span import Span
from kehu.errors import SourceError

_ROWS = 32_768
_CACHE_KB = 64 << 10
_DIGITS = 15
"""How many digits of a REAL are sure; a cell with more is summed by its text."""


@contextmanager
def open_source(address: Address, contracts: Sequence[Contract]) -> Iterator[SqliteSnapshot]:
    """Open the file read-only and hold one read transaction to the end of the block."""
    path = address.path.resolve()
    if not path.is_file():
        raise SourceError(
            "The SQLite file does not exist.",
            where=f"{address.system}: {path}",
            do=f"create it (`python -m demo create`), or correct KEHU_{address.system.upper()}_URL",
        )
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=ro", uri=True, timeout=30, isolation_level=None
    )
    try:
        # Bytes: a cell that is no valid UTF-8 must not stop the read.
        connection.text_factory = bytes
        try:
            # Rows in key order lie all over the file: keep more of it at hand than 2 MB.
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            connection.execute("BEGIN")
            # A deferred transaction takes its snapshot at the first read.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise SourceError(
                f"The SQLite file cannot be opened: {error}",
                where=f"{address.system}: {path}",
                do="check that it is a SQLite database, that it is readable and not locked",
            ) from None
        yield SqliteSnapshot(connection, f"{address.system}: {path}")
    finally:
        connection.close()


class _ExactSum:
    """SQLite aggregate: the exact sum of decimal cells that are held as text."""

    exact: Callable[[str | bytes | None], Decimal | None]

    def __init__(self) -> None:
        self.total = Decimal(0)

    def step(self, cell: Any) -> None:
        text = repr(cell) if isinstance(cell, float) else cell
        if isinstance(text, int):
            text = str(text)
        self.total = decimals.add(self.total, self.exact(text) or Decimal(0))

    def finalize(self) -> str:
        return str(self.total)


class SqliteSnapshot:
    """A `Snapshot` of one SQLite file."""

    def __init__(self, connection: sqlite3.Connection, where: str) -> None:
        self._connection = connection
        self.where = where

    def columns(self, contract: Contract) -> Mapping[str, str] | None:
        found = self._connection.execute(
            "SELECT CAST(name AS BLOB), CAST(type AS BLOB) FROM pragma_table_info(?)",
            (contract.table,),
        ).fetchall()
        return {name.decode(): kind.decode() for name, kind in found} or None

    def holds(self, source_type: str, column: Column) -> bool:
        """Cells decide, except where the column's affinity has changed them already."""
        affinity = _affinity(source_type)
        if column.physical_type == "varchar":
            return affinity in ("TEXT", "BLOB")
        if column.physical_type in ("integer", "bigint", "boolean"):
            return affinity != "TEXT"
        return True

    def measure(self, contract: Contract, span: Span | None) -> Measure:
        money = [contract.column(name) for name in contract.money]
        try:
            return self._measure(contract, money, span, by_hand=False)
        except sqlite3.OperationalError as error:
            if "overflow" not in str(error):
                raise read_failed(self.where, contract, error, error.sqlite_errorname) from None
        return self._measure(contract, money, span, by_hand=True)

    def _measure(
        self, contract: Contract, money: Sequence[Column], span: Span | None, by_hand: bool
    ) -> Measure:
        items = ["count(*)"]
        for position, column in enumerate(money):
            cell, scale = quoted(column.physical_name), column.scale
            bound = 10 ** (min(_DIGITS, column.precision) - scale)
            small = (
                "0"
                if by_hand or column.null_values
                else f"typeof({cell}) IN ('integer', 'real') AND abs({cell}) < {bound}"
            )
            name = f"exact_sum_{position}"
            aggregate = type("_Sum", (_ExactSum,), {"exact": staticmethod(casting.exact(column))})
            self._connection.create_aggregate(name, 1, aggregate)
            factor = 10**scale
            # Text as BLOB, so that what is no UTF-8 reaches Python, too.
            text = f"CASE typeof({cell}) WHEN 'text' THEN CAST({cell} AS BLOB) ELSE {cell} END"
            items.append(
                f"sum(CAST(round({cell} * {factor}) AS INTEGER)) "
                f"FILTER (WHERE {small} AND round({cell}, {scale}) = {cell})"
            )
            items.append(f"{name}({text}) FILTER (WHERE {cell} IS NOT NULL AND NOT ({small}))")
        where, values = _after(contract, span)
        found = self._connection.execute(
            f"SELECT {', '.join(items)} FROM {quoted(contract.table)}{where}", values
        ).fetchone()
        sums = {}
        for position, column in enumerate(money):
            cents, rest = found[1 + 2 * position], found[2 + 2 * position]
            scale = column.scale
            sums[column.name] = decimals.add(
                Decimal(cents or 0).scaleb(-scale), Decimal((rest or b"0").decode())
            )
        return Measure(found[0], sums)

    def rows(
        self, contract: Contract, span: Span | None, columns: Sequence[Column]
    ) -> Generator[pa.RecordBatch, None, None]:
        where, values = _after(contract, span)
        names = ", ".join(quoted(column.physical_name) for column in columns)
        order = ", ".join(quoted(contract.column(name).physical_name) for name in contract.key)
        try:
            cursor = self._connection.execute(
                f"SELECT {names} FROM {quoted(contract.table)}{where} ORDER BY {order}", values
            )
            while rows := cursor.fetchmany(_ROWS):
                cells = zip(*rows, strict=True)
                arrays = [_array(c, column) for c, column in zip(cells, columns, strict=True)]
                yield casting.cast(arrays, columns)
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "unknown")
            raise read_failed(self.where, contract, error, code) from None


def _array(cells: Sequence[Any], column: Column) -> Array:
    """Cells of one column as Arrow; of mixed kinds, as their exact text."""
    kinds = set(map(type, cells)) - {type(None)}
    if not kinds:
        return pa.nulls(len(cells))
    if kinds == {bytes}:
        return pa.array(cells, pa.binary())
    if kinds == {int}:
        return pa.array(cells, pa.int64())
    if kinds == {float} or (kinds == {int, float} and column.precision):
        # NUMERIC affinity holds 12.00 as an integer beside 12.50: both read as a double.
        with suppress(pa.ArrowInvalid):  # an integer above 2**53 is none
            return pa.array(cells, pa.float64())
    texts = [
        cell if cell is None or isinstance(cell, bytes) else repr(cell).encode() for cell in cells
    ]
    return pa.array(texts, pa.binary())


def _after(contract: Contract, span: Span | None) -> tuple[str, tuple[str, ...]]:
    """The condition for changed rows.

    A row whose cursor is missing or is no moment at all is read every time: it must reach the
    quarantine instead of being forgotten. `/` comes before the digits: `< '/'` holds
    for every number, for an empty text and for a sign.
    """
    if span is None or contract.cursor is None:
        return "", ()
    cursor = quoted(contract.column(contract.cursor).physical_name)
    bounds = span.bounds(contract)
    inside = " AND ".join(f"{cursor} {operator} ?" for operator, _ in bounds)
    moments = tuple(moment for _, moment in bounds)
    return f" WHERE ({inside} OR {cursor} IS NULL OR {cursor} < '/')", moments


def _affinity(declared: str) -> str:
    """Column affinity by SQLite's own five rules."""
    upper = declared.upper()
    for affinity, words in (
        ("INTEGER", ("INT",)),
        ("TEXT", ("CHAR", "CLOB", "TEXT")),
        ("BLOB", ("BLOB",)),
        ("REAL", ("REAL", "FLOA", "DOUB")),
    ):
        if any(word in upper for word in words):
            return affinity
    return "NUMERIC" if upper else "BLOB"
