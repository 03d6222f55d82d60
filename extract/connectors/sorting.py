"""Rows of a source that has no order of its own, sorted by key.

In: batches. Out: the same rows in the byte order of the key. Touches: sorts in an in-memory DuckDB
that spills to a private temporary folder, so that a table may be larger than memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

import duckdb  # noqa: TID251  a connector may: sorting what files and APIs hold in any order
import pyarrow as pa

from extract import casting
from extract.connectors.base import quoted
from extract.contract import Column
from kehu.errors import KehuError

_ROWS = 32_768


def by_key(
    batches: Iterator[pa.RecordBatch], columns: Sequence[Column], key: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """The rows by key; an error of the source comes out as it went in."""
    failures: list[KehuError] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except KehuError as error:
            failures.append(error)
            raise

    order = ", ".join(f"{quoted(name)} NULLS LAST" for name in key)
    with (
        tempfile.TemporaryDirectory(prefix="kehu-sort-") as spill,
        duckdb.connect(config={"memory_limit": "1GB", "temp_directory": spill}) as connection,
    ):
        source = pa.RecordBatchReader.from_batches(casting.schema(columns), watched())
        connection.register("source", source)
        try:
            result = connection.execute(f"SELECT * FROM source ORDER BY {order}")
            yield from result.to_arrow_reader(_ROWS)
        except duckdb.Error:
            # DuckDB tells its own story of what failed while it was fed: keep ours.
            if failures:
                raise failures[0] from None
            raise
