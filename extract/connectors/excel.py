"""Tables in Excel workbooks: a header row and the rows below it, to the end of the sheet.

In: a path and the contract's file source (sheet, header row). Out: columns, record batches, a
measure. Touches: reads the file.

A number in a decimal column counts at 15 digits, which is what Excel itself computes and shows:
1234.5600000000001 is 1234.56. Everything else must fit as it lies in the file, or is reported:
errors, formulas without a stored result, whole numbers beyond what Excel can hold, and numbers in
a text column that Excel shows in another form (00123).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from extract import casting, dates, decimals
from extract.connectors.base import Measure
from extract.connectors.workbook import Cell, Workbook
from extract.contract import ROW_POSITION, Column, FileSource

_ROWS = 8_192
_DIGITS = 15
_WHOLE = 2**53
"""Beyond this, two whole numbers are one for Excel."""


def columns(path: Path, source: FileSource) -> dict[str, str]:
    """Names in the header row; the cells decide what fits."""
    with Workbook(path) as workbook:
        return dict.fromkeys(_header(workbook, source), "text")


def measure(path: Path, source: FileSource, money: Sequence[Column]) -> Measure:
    """Count and sum with Python's decimals."""
    count, sums = 0, {column.name: Decimal(0) for column in money}
    exact = {column.name: casting.exact(column) for column in money}
    with Workbook(path) as workbook:
        header = _header(workbook, source)
        for _, cells in _data(workbook, source):
            count += 1
            for column in money:
                cell = cells.get(header[column.physical_name])
                text = None if cell is None else _fitting(cell, column)
                value = exact[column.name](text) or Decimal(0)
                sums[column.name] = decimals.add(sums[column.name], value)
    return Measure(count, sums)


def batches(path: Path, source: FileSource, wanted: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """The rows below the header that hold anything; `_row` counts from the row after it."""
    with Workbook(path) as workbook:
        header = _header(workbook, source)
        rows: list[tuple[int, dict[int, Cell]]] = []
        for row in _data(workbook, source):
            rows.append(row)
            if len(rows) == _ROWS:
                yield _batch(rows, header, source, wanted)
                rows = []
        if rows:
            yield _batch(rows, header, source, wanted)


def _data(workbook: Workbook, source: FileSource) -> Iterator[tuple[int, dict[int, Cell]]]:
    for number, cells in workbook.rows(source.sheet):
        if number > source.header_row and cells:
            yield number, cells


def _header(workbook: Workbook, source: FileSource) -> dict[str, int]:
    """Column places by name; of a name that stands twice, the first."""
    found: dict[str, int] = {}
    for number, cells in workbook.rows(source.sheet):
        if number >= source.header_row:
            for place, cell in sorted(cells.items() if number == source.header_row else ()):
                found.setdefault(cell.text, place)
            break
    return found


def _batch(
    rows: Sequence[tuple[int, dict[int, Cell]]],
    header: dict[str, int],
    source: FileSource,
    wanted: Sequence[Column],
) -> pa.RecordBatch:
    arrays: list[casting.Array] = []
    refused: dict[str, dict[int, str]] = {}
    for column in wanted:
        if column.name == ROW_POSITION:
            arrays.append(pa.array([number - source.header_row for number, _ in rows], pa.int64()))
            continue
        place, texts = header[column.physical_name], []
        for number, (_, cells) in enumerate(rows):
            cell = cells.get(place)
            text = None if cell is None else _fitting(cell, column)
            if cell is not None and text is None and cell.text not in column.null_values:
                refused.setdefault(column.name, {})[number] = cell.text
            texts.append(text)
        arrays.append(pa.array(texts, pa.string()))
    return casting.cast(arrays, wanted, refused=refused)


def _fitting(cell: Cell, column: Column) -> str | None:
    """The cell's text for the column's type; None when the cell must be reported."""
    if cell.kind in ("error", "formula"):
        return None
    if cell.kind == "moment":
        return _written(cell.text, column)
    if cell.kind != "number":
        return cell.text
    number = Decimal(cell.text)
    whole = number == number.to_integral_value()
    if whole and abs(number) > _WHOLE:
        return None
    digits = len(number.normalize().as_tuple().digits)
    if column.physical_type == "varchar":
        fits = cell.plain and (whole or digits <= _DIGITS)
        return format(number, "f") if fits else None
    if column.precision and not whole and digits > _DIGITS:
        number = Decimal(f"{number:.{_DIGITS}g}")
    if whole:
        number = number.to_integral_value()
    return format(number, "f")


def _written(text: str, column: Column) -> str:
    """A moment in the column's own format, so that real dates and typed ones are read alike."""
    if column.format in (None, *casting.ISO_FORMATS) or column.physical_type == "varchar":
        return text
    try:
        return dates.write(datetime.fromisoformat(text), str(column.format))
    except ValueError:
        return text
