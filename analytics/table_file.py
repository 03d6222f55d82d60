"""A file with a table, and which of its columns means what.

In: a Parquet or text file, and a mapping in YAML. Out: an Arrow table with the names and types that
a computation asks for. Touches: reads both files. An error names file, column and row, no value.

The mapping:

    columns: {customer: CustomerID, date: InvoiceDate, amount: [Quantity, UnitPrice]}
    date_format: "%Y%m%d"          # of dates in text; without it ISO 8601
    positive: [Quantity]           # rows whose values are not above zero are left out
    required: [CustomerID]         # rows without a value are left out
    format: {separator: whitespace, columns: [id, CustomerID, ...]}   # a text file without header

A list of columns is their product. `docs/measure_your_data.md` shows each key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import yaml

from analytics.arrow import Column, pc
from kehu.errors import AnalysisError

NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
MONEY = pa.decimal128(18, 4)
KEYS = {
    *("columns", "date_format", "positive", "required", "format"),
    *("churned_is", "leave_out", "categories"),
}


@dataclass(frozen=True)
class ColumnMapping:
    """What a mapping file says; `columns` maps our names to the file's."""

    path: Path
    columns: Mapping[str, str | list[str]]
    date_format: str | None = None
    positive: list[str] = field(default_factory=list)
    required: list[str] = field(default_factory=list)
    format: Mapping[str, Any] = field(default_factory=dict)
    churned_is: str = ""
    leave_out: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)


def read_mapping(path: Path) -> ColumnMapping:
    """The mapping in `path`; raises `AnalysisError` that names the key at fault."""
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise AnalysisError(
            f"The mapping cannot be read: {type(error).__name__}.",
            where=str(path),
            do="write it as docs/measure_your_data.md shows",
        ) from None
    if not isinstance(written, dict) or not isinstance(written.get("columns"), dict):
        raise AnalysisError(
            "The mapping has no `columns`.",
            where=str(path),
            do="name the columns: `columns: {customer: ..., date: ..., amount: ...}`",
        )
    unknown = sorted(set(written) - KEYS)
    if unknown:
        raise AnalysisError(
            f"The mapping has keys that mean nothing: {', '.join(unknown)}.",
            where=str(path),
            do=f"use {', '.join(sorted(KEYS))}",
        )
    return ColumnMapping(path, **written)


def read(path: Path, mapping: ColumnMapping) -> pa.Table:
    """The file as it is; text files give text columns."""
    if not path.is_file():
        raise AnalysisError("There is no such file.", where=str(path), do="give an existing file")
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        if mapping.format.get("separator") == "whitespace":
            return _by_whitespace(path, mapping)
        return _by_separator(path, mapping)
    except (pa.ArrowInvalid, OSError, ValueError) as error:
        raise AnalysisError(
            f"The table cannot be read: {type(error).__name__}.",
            where=str(path),
            do="give Parquet, or text with one separator (`format` of the mapping)",
        ) from None


def _by_separator(path: Path, mapping: ColumnMapping) -> pa.Table:
    names = mapping.format.get("columns")
    parsed = pyarrow.csv.ParseOptions(delimiter=mapping.format.get("separator", ","))
    reading = pyarrow.csv.ReadOptions(column_names=names)
    with pyarrow.csv.open_csv(path, reading, parsed) as first:
        columns = first.schema.names
    return pyarrow.csv.read_csv(
        path,
        reading,
        parsed,
        pyarrow.csv.ConvertOptions(column_types={name: pa.string() for name in columns}),
    )


def _by_whitespace(path: Path, mapping: ColumnMapping) -> pa.Table:
    import pandas as pd

    frame = pd.read_csv(
        path, sep=r"\s+", header=None, names=mapping.format.get("columns"), dtype=str
    )
    return pa.Table.from_pandas(frame, preserve_index=False)


class Columns:
    """Columns of a file under our names; each method raises `AnalysisError` with column and row."""

    def __init__(self, path: Path, mapping: ColumnMapping) -> None:
        self._path, self._mapping = path, mapping
        table = read(path, mapping)
        self._rows: Column | None = None
        kept = pa.chunked_array([pa.repeat(True, table.num_rows)])
        for name in mapping.positive:
            kept = pc.and_(kept, pc.greater(self._number(table, name, pa.float64()), 0))
        for name in mapping.required:
            kept = pc.and_(kept, pc.is_valid(self._column(table, name)))
        if mapping.positive or mapping.required:
            kept = pc.fill_null(kept, False)
            self._rows = pc.indices_nonzero(kept)
            table = table.filter(kept)
        self.table = table

    def has(self, name: str) -> bool:
        return name in self._mapping.columns

    def require(self, names: Iterable[str], why: Mapping[str, str]) -> None:
        """Raise for the first of `names` that the mapping does not give; `why` words it."""
        for name in names:
            if not self.has(name):
                raise AnalysisError(
                    why.get(name, f"The table has no column for {name}."),
                    where=f"{self._path}, mapping {self._mapping.path}: columns.{name}",
                    do=f"name the file's column under `columns: {{{name}: ...}}`"
                    f" (it has {', '.join(self.table.column_names[:30])})",
                )

    def text(self, name: str) -> Column:
        """As text, without blanks around; raises where it is missing."""
        found = pc.utf8_trim_whitespace(
            pc.cast(self._column(self.table, self._one(name)), "string")
        )
        self._check(pc.and_(pc.is_valid(found), pc.not_equal(found, "")), name, "is missing")
        return found

    def date(self, name: str, *, blank: bool = False) -> Column:
        """As days; raises where it is no date, and where it is missing unless `blank` may be."""
        given = self._column(self.table, self._one(name))
        if not pa.types.is_string(given.type) and not pa.types.is_large_string(given.type):
            if not pa.types.is_temporal(given.type):
                given = pc.cast(pc.cast(given, pa.int64()), pa.string())
            else:
                self._check(pc.or_(pc.is_valid(given), blank), name, "is missing")
                return pc.cast(pc.floor_temporal(given, unit="day"), pa.date32())
        style = self._mapping.date_format or "%Y-%m-%d"
        text = pc.utf8_trim_whitespace(given)
        if self._mapping.date_format is None:
            text = pc.utf8_slice_codeunits(text, 0, 10)
        found = pc.strptime(text, format=style, unit="s", error_is_null=True)
        there = pc.fill_null(pc.not_equal(text, ""), False)
        sound = pc.or_(pc.is_valid(found), pc.and_(pc.invert(there), blank))
        self._check(sound, name, f"is not a date of the form {style}")
        return pc.cast(found, pa.date32())

    def amount(self, name: str) -> Column:
        """As a decimal with four places, a product where the mapping lists several columns."""
        listed = self._mapping.columns[name]
        parts = [listed] if isinstance(listed, str) else listed
        found = self._number(self.table, parts[0], MONEY)
        for part in parts[1:]:
            found = pc.multiply(found, self._number(self.table, part, MONEY))
        self._check(pc.is_valid(found), name, "is missing")
        return found

    def number(self, column: str) -> Column:
        """A column of the file as floating point, missing where it is blank."""
        return self._number(self.table, column, pa.float64())

    def is_numeric(self, column: str) -> bool:
        """Whether every value that is there is a number."""
        given = self.table.column(column)
        if not (pa.types.is_string(given.type) or pa.types.is_large_string(given.type)):
            return pa.types.is_integer(given.type) or pa.types.is_floating(given.type)
        text = pc.utf8_trim_whitespace(given)
        there = pc.not_equal(text, "")
        matches = pc.match_substring_regex(text.filter(there), NUMBER)
        return bool(pc.all(matches).as_py()) and len(matches) > 0

    def _one(self, name: str) -> str:
        column = self._mapping.columns[name]
        if not isinstance(column, str):
            raise AnalysisError(
                f"The mapping gives several columns for {name}, which takes one.",
                where=f"{self._mapping.path}: columns.{name}",
                do="name one column",
            )
        return column

    def _column(self, table: pa.Table, column: str) -> Column:
        if column not in table.column_names:
            raise AnalysisError(
                f"The table has no column {column}.",
                where=f"{self._path}, mapping {self._mapping.path}",
                do=f"name one of: {', '.join(table.column_names[:30])}",
            )
        return table.column(column)

    def _number(self, table: pa.Table, column: str, kind: pa.DataType) -> Column:
        given = self._column(table, column)
        if pa.types.is_string(given.type) or pa.types.is_large_string(given.type):
            text = pc.utf8_trim_whitespace(given)
            text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
            good = pc.fill_null(pc.match_substring_regex(text, NUMBER), True)
            self._check(good, column, "is not a number")
            given = pc.cast(text, pa.float64())
        if pa.types.is_decimal(kind):
            given = pc.round(pc.cast(given, pa.float64()), ndigits=4)
            return pc.cast(given, kind, safe=False)
        return pc.cast(given, kind)

    def _check(self, good: Column, name: str, fault: str) -> None:
        if pc.all(good).as_py() in (True, None):
            return
        bad = pc.indices_nonzero(pc.invert(good))
        first = bad[0].as_py()
        row = first if self._rows is None else self._rows[first].as_py()
        raise AnalysisError(
            f"{len(bad)} rows cannot be used: {name} {fault}.",
            where=f"{self._path}, row {row + 1}, column {name}",
            do="mend or leave out these rows, or map another column",
        )
