"""Tables of one snapshot landed by one reader and by several: wall time and CPU seconds.

In: tables, rows of each, rounds, numbers of readers; optionally what a connection carries per
second. Out: a table of medians, with the load of the machine. Touches: a PostgreSQL server of its
own and a temporary folder, ended and removed afterwards.

The numbers of readers take turns in every round, and every landed file of a round is compared.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import source
from bench.extract import server_cpu, server_of
from bench.stages import cpu_seconds
from extract.disk import sha256
from extract.run import extract_system
from kehu import settings as kehu_settings
from kehu.settings import Settings
from tests import own_servers
from tests.faults.proxy import network

DAY = date(2026, 1, 31)


def fill(url: str, tables: int, rows: int) -> None:
    """Tables like lineitem, of the same rows."""
    source.fill(url, rows)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for number in range(1, tables + 1):
            cursor.execute(f"create table t{number} (like lineitem including all)")
            cursor.execute(f"insert into t{number} select * from lineitem")
        connection.commit()
        connection.autocommit = True
        cursor.execute("vacuum analyze")
        cursor.execute("checkpoint")


def landed(settings: Settings, server: int) -> tuple[Mapping[str, float], list[str]]:
    """Wall and CPU seconds of one extraction, and the hashes of its files."""
    before, began = server_cpu(server), time.monotonic()
    client, batches = cpu_seconds(
        lambda: extract_system("billing", day=DAY, run_id="bench", watermarks={}, settings=settings)
    )
    wall = time.monotonic() - began
    time.sleep(0.3)  # the sessions end a moment later
    spent = {"wall": wall, "client": client, "server": server_cpu(server) - before}
    files = [sha256(batch.data) for batch in batches]
    shutil.rmtree(settings.landing)
    return spent, files


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.parallel", description=__doc__)
    parser.add_argument("--tables", type=int, default=4, help="default 4")
    parser.add_argument("--rows", type=int, default=250_000, help="of each table; default 250,000")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--readers", type=int, nargs="+", default=[1, 2], help="default 1 2")
    parser.add_argument(
        "--bytes-per-second", type=int, help="as from far away: no connection carries more"
    )
    options = parser.parse_args()
    found: dict[int, list[Mapping[str, float]]] = {number: [] for number in options.readers}
    with (
        tempfile.TemporaryDirectory(prefix="kehu-bench-") as folder,
        own_servers.own_postgres(Path(folder) / "server") as port,
        network(port, bytes_per_second=options.bytes_per_second) as far,
    ):
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        fill(url, options.tables, options.rows)
        server = server_of(url)
        if options.bytes_per_second:
            url = url.replace(str(port), str(far.port))
        contracts = Path(folder) / "contracts"
        for number in range(1, options.tables + 1):
            source.write_contract(f"t{number}", contracts)
        settings = replace(
            kehu_settings.load({"KEHU_HOME": str(Path(folder) / "home")}),
            contract_dirs=(contracts,),
            source_urls={"billing": url},
        )
        files = set()
        landed(settings, server)  # caches are warm for everyone
        for number in track(range(options.rounds), "measuring", console=Console(stderr=True)):
            for readers in options.readers[:: -1 if number % 2 else 1]:
                spent, hashes = landed(replace(settings, readers=readers), server)
                found[readers].append(spent)
                files.add(tuple(hashes))
        assert len(files) == 1, "the files differ by the number of readers"
    rows = options.tables * options.rows
    table = Table(
        title=f"{options.tables} tables of {options.rows:,} rows, {options.rounds} rounds,"
        f" load average {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores"
    )
    for heading in ("readers", "wall s", "rows per s", "client CPU s", "server CPU s"):
        table.add_column(heading, justify="right")
    for readers, results in found.items():
        wall, client, served = (
            statistics.median(r[name] for r in results) for name in ("wall", "client", "server")
        )
        told = (f"{wall:.2f}", f"{rows / wall:,.0f}", f"{client:.2f}", f"{served:.2f}")
        table.add_row(str(readers), *told)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
