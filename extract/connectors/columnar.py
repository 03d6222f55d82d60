"""Parquet files of a source.

In: a path. Out: columns with Arrow's type names, record batches, a measure. Touches: reads the
file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from extract import casting, decimals
from extract.casting import pc
from extract.connectors.base import Measure
from extract.contract import ROW_POSITION, Column, FileSource

_ROWS = 32_768


def columns(path: Path, source: FileSource) -> dict[str, str]:
    return {field.name: str(field.type) for field in pq.read_schema(path)}


def measure(path: Path, source: FileSource, money: Sequence[Column]) -> Measure:
    with pq.ParquetFile(path) as file:
        sums = {column.name: Decimal(0) for column in money}
        exact = {column.name: casting.exact(column) for column in money}
        names = [column.physical_name for column in money]
        for batch in file.iter_batches(batch_size=_ROWS, columns=names) if money else ():
            for column in money:
                array = casting.plain(batch.column(column.physical_name))
                if not pa.types.is_binary(array.type):
                    array = array.cast(pa.string())
                cells = pc.value_counts(array)
                for text, times in zip(*map(pa.Array.to_pylist, cells.flatten()), strict=True):
                    value = exact[column.name](text) or Decimal(0)
                    sums[column.name] = decimals.add(
                        sums[column.name], decimals.times(value, times)
                    )
        return Measure(file.metadata.num_rows, sums)


def batches(path: Path, source: FileSource, wanted: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    names = [c.physical_name for c in wanted if c.name != ROW_POSITION]
    position = 1
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS, columns=names):
            numbers = pa.array(range(position, position + batch.num_rows), pa.int64())
            position += batch.num_rows
            yield casting.cast(
                [
                    numbers if c.name == ROW_POSITION else batch.column(c.physical_name)
                    for c in wanted
                ],
                wanted,
            )
