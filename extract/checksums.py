"""The source's side of a comparison: checksums that the source itself computes, or its reader.

In: an open snapshot, a contract, the moment up to which the warehouse is loaded. Out: a
`segments.Side`. Touches: reads the source.

PostgreSQL and MariaDB compute the checksums in SQL; of any other source the rows are read as for
an extraction, and hashed here. Both give each cell the text that the warehouse gives it. Rows
changed after the moment are left out; their keys are in `newer`.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from extract.connectors.base import Snapshot, quoted
from extract.contract import Column, Contract
from extract.landing import CAST_ERRORS
from extract.segments import HASH_DIGITS, NULL, SEPARATOR, Checksum, Key, Rows, Segment, Side

IN_SQL, BY_READING = 10, 1_000
"""Parts into which a segment is cut: another query costs little, another reading much."""


def source_side(
    snapshot: Snapshot, contract: Contract, until: datetime | None
) -> tuple[Side, list[Key], int]:
    """The side, the keys of rows that changed after `until`, and the parts to cut into."""
    dialect = _DIALECTS.get(getattr(snapshot, "dialect", ""))
    if dialect is not None:
        in_sql = _InSql(snapshot, contract, until, dialect())
        return in_sql, in_sql.newer(), IN_SQL
    by_reading = _ByReading(snapshot, contract, until)
    return by_reading, by_reading.newer(), BY_READING


class _Postgres:
    """How PostgreSQL writes cells as text."""

    mark, concatenate = '"', "concat_ws"
    separator, null, words = "chr(31)", "chr(30)", "text"
    number = f"('x' || substr(md5({{}}), 1, {HASH_DIGITS}))::bit({4 * HASH_DIGITS})::bigint"

    def text(self, cell: str, column: Column, source_type: str) -> str:
        if column.physical_type == "boolean":
            return f"({cell}::int)::text"
        if column.precision and not source_type.endswith(f",{column.scale})"):
            rounded = f"round({cell}::numeric, {column.scale})"
            return f"(case when {cell} = {rounded} then {rounded} else {cell} end)::text"
        return f"{cell}::text"

    def order(self, cell: str, column: Column) -> str:
        return f'{cell}::text collate "C"' if column.physical_type == "varchar" else cell

    def bound(self, column: Column) -> str:
        return "%s" if column.physical_type == "varchar" else f"%s::{column.physical_type}"


class _Mysql:
    """How MariaDB and MySQL write cells as text."""

    mark, concatenate = "`", "CONCAT_WS"
    separator, null, words = "CHAR(31 USING utf8mb4)", "CHAR(30 USING utf8mb4)", "CHAR"
    number = f"CAST(CONV(SUBSTRING(MD5({{}}), 1, {HASH_DIGITS}), 16, 10) AS UNSIGNED)"

    def text(self, cell: str, column: Column, source_type: str) -> str:
        if column.precision and not source_type.lower().endswith(f",{column.scale})"):
            cell = (
                f"IF({cell} = ROUND({cell}, {column.scale}),"
                f" CAST({cell} AS DECIMAL({column.precision},{column.scale})), {cell})"
            )
        text = f"CONVERT({cell} USING utf8mb4)"
        if column.physical_type == "timestamp" and "(" in source_type:
            text = f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))"
        return text

    def order(self, cell: str, column: Column) -> str:
        if column.physical_type != "varchar":
            return cell
        return f"CONVERT({cell} USING utf8mb4) COLLATE utf8mb4_bin"

    def bound(self, column: Column) -> str:
        return "%s"


_DIALECTS: Mapping[str, type[_Postgres] | type[_Mysql]] = {"postgres": _Postgres, "mysql": _Mysql}


class _InSql:
    """A table whose source computes the checksums itself."""

    def __init__(
        self,
        snapshot: Any,
        contract: Contract,
        until: datetime | None,
        dialect: _Postgres | _Mysql,
    ) -> None:
        self._ask, self._contract, self._dialect = snapshot.query, contract, dialect
        types = snapshot.columns(contract) or {}
        self._texts = [
            self._text(column, types.get(column.physical_name, "")) for column in contract.columns
        ]
        self._first = contract.column(contract.key[0])
        self._k = dialect.order(self._cell(self._first), self._first)
        self._table = quoted(contract.table, dialect.mark)
        self._cursor = self._cell(contract.column(contract.cursor)) if contract.cursor else None
        self._until = until

    def newer(self) -> list[Key]:
        if self._until is None or self._cursor is None:
            return []
        keys = ", ".join(self._keys())
        sql = f"SELECT {keys} FROM {self._table} WHERE {self._cursor} > %s"
        return [tuple(map(_plain, row)) for row in self._ask(self._contract, sql, (self._until,))]

    def checksums(self, within: Segment, cuts: Sequence[str]) -> list[Checksum]:
        bound = self._dialect.bound(self._first)
        cases = "".join(f" WHEN {self._k} < {bound} THEN {at}" for at in range(len(cuts)))
        part = f"CASE{cases} ELSE {len(cuts)} END" if cuts else "0"
        glue, d = f", {self._dialect.null}), ", self._dialect
        cells = "".join(f"COALESCE({text}{glue}" for text in self._texts).removesuffix(", ")
        number = d.number.format(f"{d.concatenate}({d.separator}, {cells})")
        where, values = self._where(within)
        rows = self._ask(
            self._contract,
            f"SELECT {part} AS part, COUNT(*), CAST(SUM({number}) AS {d.words})"
            f" FROM {self._table}{where} GROUP BY 1",
            (*cuts, *values),
        )
        found = {int(_plain(at)): Checksum(int(n), int(_plain(total))) for at, n, total in rows}
        return [found.get(at, Checksum()) for at in range(len(cuts) + 1)]

    def rows(self, within: Segment) -> Rows:
        where, values = self._where(within)
        cells = ", ".join(f"MD5(COALESCE({text}, {self._dialect.null}))" for text in self._texts)
        keys = self._keys()
        sql = f"SELECT {', '.join(keys)}, {cells} FROM {self._table}{where}"
        found = {}
        for row in self._ask(self._contract, sql, values):
            plain = tuple(map(_plain, row))
            found[plain[: len(keys)]] = plain[len(keys) :]
        return found

    def _cell(self, column: Column) -> str:
        return quoted(column.physical_name, self._dialect.mark)

    def _text(self, column: Column, source_type: str) -> str:
        text = self._dialect.text(self._cell(column), column, source_type)
        for missing in column.null_values:
            text = f"NULLIF({text}, '{missing.replace(chr(39), chr(39) * 2)}')"
        return text.replace("%", "%%")

    def _keys(self) -> list[str]:
        names = [column.name for column in self._contract.columns]
        return [self._texts[names.index(name)] for name in self._contract.key]

    def _where(self, within: Segment) -> tuple[str, tuple[Any, ...]]:
        bound = self._dialect.bound(self._first)
        conditions, values = [], []
        if within.low is not None:
            conditions.append(f"{self._k} >= {bound}")
            values.append(within.low)
        if within.high is not None:
            conditions.append(f"{self._k} < {bound}")
            values.append(within.high)
        if self._until is not None and self._cursor is not None:
            conditions.append(f"({self._cursor} <= %s OR {self._cursor} IS NULL)")
            values.append(self._until)  # type: ignore[arg-type]
        return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), tuple(values)


class _ByReading:
    """A table that is read through its connector, each time it is asked."""

    def __init__(self, snapshot: Snapshot, contract: Contract, until: datetime | None) -> None:
        self._snapshot, self._contract, self._until = snapshot, contract, until
        self._first = contract.column(contract.key[0])

    def newer(self) -> list[Key]:
        if self._until is None or self._contract.cursor is None:
            return []
        names = dict.fromkeys([*self._contract.key, self._contract.cursor])
        found: list[Key] = []
        columns = [self._contract.column(name) for name in names]
        for batch in self._snapshot.rows(self._contract, None, columns):
            rows = batch.filter(pc.fill_null(self._is_newer(batch), False))
            found += _tuples([_text(rows.column(name)) for name in self._contract.key])
        return found

    def checksums(self, within: Segment, cuts: Sequence[str]) -> list[Checksum]:
        typed = [self._value(cut) for cut in cuts]
        counts, totals = [0] * (len(cuts) + 1), [0] * (len(cuts) + 1)
        for firsts, texts in self._read(within):
            lines = pc.binary_join_element_wise(*texts, SEPARATOR).to_pylist()
            for first, line in zip(firsts, lines, strict=True):
                part = bisect_right(typed, first)
                counts[part] += 1
                totals[part] += int(_md5(line)[:HASH_DIGITS], 16)
        return [Checksum(*each) for each in zip(counts, totals, strict=True)]

    def rows(self, within: Segment) -> Rows:
        names = [column.name for column in self._contract.columns]
        keys = [names.index(name) for name in self._contract.key]
        found = {}
        for _, texts in self._read(within):
            for cells in _tuples(texts):
                found[tuple(cells[at] for at in keys)] = tuple(map(_md5, cells))
        return found

    def _read(self, within: Segment) -> Iterator[tuple[list[Any], list[Any]]]:
        """Per batch the first key cells, typed, and all cells as text, of rows in the segment.

        Rows with a cell that does not fit its type are in quarantine and not in the warehouse.
        """
        for batch in self._snapshot.rows(self._contract, None, self._contract.columns):
            keep: Any = pc.is_null(batch.column(CAST_ERRORS))
            if self._until is not None and self._contract.cursor is not None:
                keep = pc.and_(keep, pc.invert(pc.fill_null(self._is_newer(batch), False)))
            first = batch.column(self._first.name)
            keep = pc.and_(keep, pc.is_valid(first))
            if within.low is not None:
                keep = pc.and_(keep, pc.greater_equal(first, self._scalar(within.low)))
            if within.high is not None:
                keep = pc.and_(keep, pc.less(first, self._scalar(within.high)))
            rows = batch.filter(keep)
            if rows.num_rows:
                texts = [_text(rows.column(column.name)) for column in self._contract.columns]
                yield rows.column(self._first.name).to_pylist(), texts

    def _is_newer(self, batch: pa.RecordBatch) -> Any:
        cursor = batch.column(str(self._contract.cursor))
        moment: datetime | date | None = self._until
        if pa.types.is_date(cursor.type) and self._until is not None:
            moment = self._until.date()
        return pc.greater(cursor, pa.scalar(moment, cursor.type))

    def _scalar(self, text: str) -> Any:
        return pa.scalar(text, pa.string()).cast(self._first.arrow_type)

    def _value(self, text: str) -> Any:
        return self._scalar(text).as_py()


def _text(array: Any) -> Any:
    """Cells as the warehouse writes them; `NULL` for an empty one."""
    if pa.types.is_timestamp(array.type):
        whole = array.cast(pa.timestamp("us")).cast(pa.string())
        text = pc.replace_substring_regex(whole, r"\.?0+$", "")
    elif pa.types.is_boolean(array.type):
        text = array.cast(pa.int8()).cast(pa.string())
    else:
        text = array.cast(pa.string())
    return pc.fill_null(text, NULL)


def _tuples(columns: Sequence[Any]) -> list[Key]:
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _plain(cell: Any) -> str:
    return cell.decode() if isinstance(cell, bytes) else str(cell)
