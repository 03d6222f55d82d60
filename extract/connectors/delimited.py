"""CSV files, plain or gzip, in the encoding and dialect that the contract declares.

In: a path and the contract's file source. Out: columns, record batches, a measure. Touches: reads
the file.

Every cell is read as bytes: the contract's encoding, decimal mark, date format and null values say
what it means. A line with a wrong number of fields is landed as such.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from extract import casting, decimals
from extract.connectors.base import Measure
from extract.connectors.text import (
    Utf8Stream,
    encoding_of,
    open_bytes,
    open_text,
    take_marked,
    unmarked,
)
from extract.contract import ROW_POSITION, Column, FileSource

BLOCK = 16 << 20


def columns(path: Path, source: FileSource) -> dict[str, str]:
    """Names in the header; the cells decide what fits."""
    return dict.fromkeys(_header(path, source)[0], "text")


def measure(path: Path, source: FileSource, money: Sequence[Column]) -> Measure:
    """Count and sum by a second parser, Python's own."""
    header, skipped = _header(path, source)
    places = [
        (header.index(c.physical_name), c.name, casting.exact(c, source.decimal)) for c in money
    ]
    sums = {column.name: Decimal(0) for column in money}
    count = 0
    with open_text(path, source) as file:
        for line in _lines(file, source, skipped):
            if not line:
                continue
            count += 1
            if len(line) == len(header):
                for place, name, exact in places:
                    # An empty field is no cell; a quoted empty one cannot be a number either.
                    sums[name] = decimals.add(sums[name], exact(line[place]) or Decimal(0))
    return Measure(count, sums)


def batches(path: Path, source: FileSource, wanted: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """The lines below the header, those with a wrong number of fields at the end."""
    header, skipped = _header(path, source)
    places = {c.name: header.index(c.physical_name) for c in wanted if c.name != ROW_POSITION}
    broken: list[tuple[int, str]] = []

    def note(line: Any) -> Literal["skip"]:
        broken.append((line.number - skipped, unmarked(line.text)))
        return "skip"

    stream: Any = Utf8Stream(open_bytes(path), encoding_of(source))
    with stream:
        reader = pa_csv.open_csv(
            stream,
            # Positions as names: a header may hold a name twice.
            read_options=pa_csv.ReadOptions(
                column_names=[str(place) for place in range(len(header))],
                skip_rows=skipped,
                block_size=BLOCK,
                use_threads=False,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=source.delimiter,
                quote_char=source.quote or False,
                escape_char=source.escape or False,
                newlines_in_values=True,
                invalid_row_handler=note,
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=[str(place) for place in places.values()],
                column_types={str(place): pa.binary() for place in places.values()},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        position = 1
        for batch in reader:
            numbers = _positions(position, batch.num_rows, [number for number, _ in broken])
            position = int(numbers[-1]) + 1 if len(numbers) else position
            arrays, refused = [], {}
            for column in wanted:
                if column.name == ROW_POSITION:
                    arrays.append(pa.array(numbers))
                    continue
                array = batch.column(str(places[column.name]))
                if stream.marked:
                    array, refused[column.name] = take_marked(array)
                arrays.append(array)
            yield casting.cast(arrays, wanted, source.decimal, refused)
    if broken:
        yield casting.bad_lines(broken, wanted, ROW_POSITION)


def _header(path: Path, source: FileSource) -> tuple[list[str], int]:
    """The names, and how many lines of the file end with them."""
    with open_text(path, source) as file:
        lines = _lines(file, source, source.header_row - 1)
        names: list[str] = next(lines, [])
        return names, source.header_row - 1 + lines.line_num


def _lines(file: io.TextIOWrapper, source: FileSource, skipped: int) -> Any:
    """Python's parser over what follows the skipped lines."""
    for _ in range(skipped):
        file.readline()
    return csv.reader(
        file,
        delimiter=source.delimiter,
        quotechar=source.quote or None,
        quoting=csv.QUOTE_MINIMAL if source.quote else csv.QUOTE_NONE,
        escapechar=source.escape or None,
    )


def _positions(first: int, rows: int, broken: Sequence[int]) -> np.ndarray[Any, Any]:
    """Positions in the file of the next `rows` good rows."""
    numbers = np.arange(first, first + rows + len(broken), dtype=np.int64)
    return numbers[~np.isin(numbers, broken)][:rows]
