"""A database in memory for one linkage: Splink's own, which spills into a folder that goes away.

In: bounds. Out: Splink's `DuckDBAPI`. Touches: a temporary folder that only this user can read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from splink import DuckDBAPI

MEMORY = "2500MB"
"""Of DuckDB's own; what Arrow holds comes on top."""


@contextmanager
def opened(memory: str = MEMORY) -> Iterator[DuckDBAPI]:
    """A database that is gone afterwards, with everything it spilled."""
    with tempfile.TemporaryDirectory(prefix="kehu-linkage-") as folder:
        database = DuckDBAPI()
        connection = database.duckdb_con
        connection.execute(f"set temp_directory = '{folder}'")
        connection.execute(f"set memory_limit = '{memory}'")
        connection.execute("set preserve_insertion_order = false")
        try:
            yield database
        finally:
            connection.close()
