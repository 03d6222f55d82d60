"""Parquet of the landing: written in bounded row groups, measured again from the file itself.

In: record batches. Out: a Parquet file with zstd and page checksums; `Landed`, what a file holds.
Touches: the given path.

Footers carry the lowest and highest value of a column, and readers log footers: there are
statistics for columns of the classes public and internal only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extract import decimals
from extract.contract import Column, Contract

ROW_GROUP = 131_072
_REPEATS = 4
"""A dictionary is worth its while when each value stands in so many rows, on average."""
_OPEN = ("public", "internal")


@dataclass(frozen=True)
class Landed:
    """What a landed file holds: rows, sums of its decimal columns, highest cursor up to a day."""

    rows: int
    sums: Mapping[str, Decimal]
    cursor: datetime | None


def write(
    path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], columns: Sequence[Column]
) -> int:
    """Write `batches` to `path`; returns the number of rows."""
    rows = 0
    open_columns = [c.name for c in columns if c.classification in _OPEN and not c.identifier]
    groups = _groups(schema, batches)
    group: pa.Table | None = next(groups, pa.Table.from_batches([], schema))
    with pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=_repeating(group),  # type: ignore[arg-type]  # the stubs know bool only
        store_decimal_as_integer=True,
        write_statistics=open_columns,
        write_page_checksum=True,
    ) as writer:
        while group is not None:
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
            group = None  # let go before the next one is read: there is one in memory at a time
            group = next(groups, None)
    path.chmod(0o600)
    return rows


def _groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches put together and cut, so that each but the last fills a row group."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= ROW_GROUP:
            whole = pa.Table.from_batches(waiting, schema)
            waiting, count = whole.slice(ROW_GROUP).to_batches(), count - ROW_GROUP
            yield whole.slice(0, ROW_GROUP)
            del whole
    if count:
        yield pa.Table.from_batches(waiting, schema)


def _repeating(table: pa.Table) -> list[str]:
    """Columns whose cells repeat often enough to be worth a dictionary.

    Elsewhere Parquet would fill a dictionary, give it up, and write a larger file in more time.
    """
    return [
        name
        for name, column in zip(table.column_names, table.columns, strict=True)
        if pc.count_distinct(column).as_py() * _REPEATS <= len(column)
    ]


def repeating_in(file: pq.ParquetFile) -> list[str]:
    """Columns of a landed file that have a dictionary."""
    if not file.metadata.num_row_groups:
        return []
    group = file.metadata.row_group(0)
    chunks = [group.column(number) for number in range(group.num_columns)]
    return [c.path_in_schema for c in chunks if "RLE_DICTIONARY" in c.encodings]


def read(path: Path, columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
    """Batches of some columns of a landed file, with its page checksums checked."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        yield from file.iter_batches(batch_size=ROW_GROUP, columns=list(columns))


def measure(path: Path, contract: Contract, until: date) -> Landed:
    """Count, sum and find the watermark again from the file.

    A cursor beyond the end of the day `until` is a wrong clock at the source: as a watermark it
    would hide every later change, so the watermark stops at the end of that day.
    """
    sums = {name: Decimal(0) for name in contract.money}
    highest: date | datetime | None = None
    rows = 0
    names = [*contract.money, *([contract.cursor] if contract.cursor else [])]
    for batch in read(path, names or contract.key[:1]):
        rows += batch.num_rows
        for name in contract.money:
            sums[name] = decimals.add(sums[name], decimals.total(batch.column(name)))
        if contract.cursor:
            top = pc.max(batch.column(contract.cursor)).as_py()
            if top is not None and (highest is None or top > highest):
                highest = top
    end = datetime.combine(until, time.max)
    moment = None
    if highest is not None:
        moment = highest if isinstance(highest, datetime) else datetime.combine(highest, time.min)
    return Landed(rows, sums, None if moment is None else min(moment, end))
