"""One reader of PostgreSQL, in a process of its own: its CPU seconds, peak memory, and cells.

In: the name of a reader, a URL, and either `speed <table>` or `cells <table>` (the text of column
`cell`, by `id`). Out: JSON on standard output. Touches: reads the server; `kehu landing` writes
into a temporary folder.

It stands alone and imports each driver late: candidates that Kehu does not use run in an
environment of their own (dependency group `readers`).
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Batches = Iterable[Any]


def kehu_reader(url: str, table: str) -> Batches:
    from bench import source
    from extract.connectors import open_snapshot

    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as folder:
        contract = source.write_contract(table, Path(folder))
        with open_snapshot("billing", url, [contract]) as snapshot:
            yield from snapshot.rows(contract, None, contract.columns)


def kehu_landing(url: str, table: str) -> Batches:
    """The whole first stage: counted and summed by the source, sorted, written, measured again."""
    import pyarrow.parquet as pq

    from bench import source

    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as home:
        (batch,) = source.extract(url, table, Path(home))
        yield pq.ParquetFile(batch.data).metadata


def adbc(url: str, table: str) -> Batches:
    import adbc_driver_postgresql.dbapi as driver

    with driver.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"select * from {table}")
        yield from cursor.fetch_record_batch()


def connectorx(url: str, table: str) -> Batches:
    """One partition: with several, each reads a snapshot of its own."""
    import connectorx as driver

    yield driver.read_sql(url, f"select * from {table}", return_type="arrow")


def duckdb_scanner(url: str, table: str) -> Iterator[Any]:
    import duckdb
    import duckdb_extensions

    with duckdb.connect(config={"memory_limit": "1GB", "threads": 2}) as connection:
        duckdb_extensions.import_extension("postgres_scanner", con=connection)
        connection.execute("load postgres_scanner")
        connection.execute(f"attach '{url}' as source (type postgres, read_only)")
        yield from connection.execute(f"from source.{table}").to_arrow_reader(65_536)


def dlt_connectorx(url: str, table: str) -> Batches:
    from dlt.sources.sql_database import sql_table

    yield from sql_table(credentials=_sqlalchemy(url), table=table, backend="connectorx",
                         backend_kwargs={"return_type": "arrow"})  # fmt: skip


def dlt_arrow(url: str, table: str) -> Batches:
    from dlt.sources.sql_database import sql_table

    yield from sql_table(credentials=_sqlalchemy(url), table=table, backend="pyarrow",
                         chunk_size=50_000, reflection_level="full")  # fmt: skip


def _sqlalchemy(url: str) -> str:
    return url.replace("postgresql:", "postgresql+psycopg2:")


READERS: dict[str, Callable[[str, str], Batches]] = {
    "kehu": kehu_reader,
    "kehu, landed and checked": kehu_landing,
    "DuckDB scanner": duckdb_scanner,
    "ADBC": adbc,
    "ConnectorX": connectorx,
    "dlt, connectorx": dlt_connectorx,
    "dlt, pyarrow": dlt_arrow,
}
OURS = tuple(list(READERS)[:2])


def speed(reader: str, url: str, table: str) -> dict[str, float]:
    # Imports belong to the start, not to the read: a first, empty read makes them.
    for _ in READERS[reader](url, "nothing"):
        pass
    before = resource.getrusage(resource.RUSAGE_SELF)
    rows = sum(batch.num_rows for batch in READERS[reader](url, table))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": rows,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "memory": after.ru_maxrss * 1024,
    }


def cells(reader: str, url: str, table: str) -> dict[str, str | None]:
    """Cells as text by id; a cell that is reported as bad stands as `reported: <text>`."""
    found: dict[str, str | None] = {}
    for batch in READERS[reader](url, table):
        for row in batch.to_pylist():
            errors = json.loads(row.get("_cast_errors") or "{}")
            if errors:
                found[str(row["id"])] = f"reported: {errors['cell']}"
            else:
                found[str(row["id"])] = None if row["cell"] is None else str(row["cell"])
    return found


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    print(json.dumps({"speed": speed, "cells": cells}[what](*given)))
