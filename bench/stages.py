"""Each Python stage against the least work that gives the same rows, as ratios of CPU seconds.

In: a number of rows and rounds. Out: a table of ratios (least, median, greatest). Touches: a
temporary folder only. Every round makes its own home, and the order of the two sides alternates,
so that neither profits from warm caches.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sqlite3
import statistics
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.progress import track
from rich.table import Table

from expectations import gate
from extract.contract import read
from extract.landing import Batch
from extract.run import extract_system
from kehu import settings as kehu_settings
from kehu.settings import CLONE, Settings
from warehouse import raw

CONTRACT = CLONE / "extract" / "contracts" / "billing" / "bills.yaml"
DAY = date(2026, 1, 31)
STRUCTURE = """
    select
        count(*) filter (where bill_no is null), count(*) filter (where account_no is null),
        count(*) filter (where period is null), count(*) filter (where issued_date is null),
        count(*) filter (where due_date is null), count(*) filter (where amount is null),
        count(*) filter (where currency_code is null), count(*) filter (where updated_at is null),
        count(*) - count(distinct bill_no), count(*) filter (where kwh < 0),
        count(*) filter (where amount < 0), count(*) filter (where cost < 0),
        count(*) filter (where late_fee < 0), count(*) filter (where due_date < issued_date),
        count(*) filter (where not regexp_matches(period, '^[0-9]{4}-[0-9]{2}$')),
        count(*) filter (where not regexp_matches(currency_code, '^[A-Z]{3}$'))
    from read_parquet(?)
"""


def make_source(path: Path, rows: int) -> None:
    """A billing database with one table of `rows` bills."""
    columns = ", ".join(f"{c.name} {c.physical_type}" for c in read(CONTRACT).columns)
    with closing(sqlite3.connect(path)) as con:
        con.execute(f"create table bills ({columns}, primary key (bill_no))")
        con.execute(
            """
            insert into bills
            with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
            select printf('B%09d', i), printf('A%07d', i / 24), printf('2025-%02d', 1 + i % 12),
                printf('2025-%02d-05', 1 + i % 12), printf('2025-%02d-25', 1 + i % 12),
                100 + i % 900, 50 + i % 400 + 0.25, 30 + i % 300, null, 'CNY',
                printf('2025-%02d-05 08:00:00', 1 + i % 12)
            from n
            """,
            [rows],
        )
        con.commit()


def cpu_seconds(action: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds, of all threads, that `action` takes, and what it gives."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = action()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result


def in_turn(
    first: Callable[[], Any], second: Callable[[], Any], *, swap: bool
) -> tuple[float, float, Any]:
    """Both sides' CPU seconds and the first side's result; `swap` runs the second side first."""
    if swap:
        floor, _ = cpu_seconds(second)
        ours, result = cpu_seconds(first)
    else:
        ours, result = cpu_seconds(first)
        floor, _ = cpu_seconds(second)
    return ours, floor, result


def one_round(settings: Settings, source: Path, number: int) -> dict[str, float]:
    """The ratios of one round in a home of its own."""
    swap = bool(number % 2)
    contract = read(CONTRACT)

    def extract() -> list[Batch]:
        return extract_system(
            "billing", day=DAY, run_id=f"bench-{number}", watermarks={}, settings=settings
        )

    def fetch() -> int:
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as con:
            cursor = con.execute("select * from bills order by bill_no")
            return sum(len(rows) for rows in iter(lambda: cursor.fetchmany(32768), []))

    def count(batch: Batch) -> Any:
        return duckdb.sql(STRUCTURE, params=[str(batch.data)]).fetchall()

    def copy(batch: Batch) -> None:
        with duckdb.connect(str(settings.home / "floor.duckdb")) as con:
            con.execute("create table bills as select * from read_parquet(?)", [str(batch.passed)])

    ratios: dict[str, float] = {}
    ours, floor, (batch,) = in_turn(extract, fetch, swap=swap)
    ratios["extract / SQLite select"] = ours / floor
    ours, floor, _ = in_turn(
        lambda: gate.validate(batch, contract, settings), lambda: count(batch), swap=swap
    )
    ratios["gate / one select"] = ours / floor
    raw.create_all([contract], settings)
    first, floor, _ = in_turn(
        lambda: raw.load_batch(batch, contract, settings, "first"), lambda: copy(batch), swap=swap
    )
    ratios["load / create table as"] = first / floor
    (again,) = extract()
    gate.validate(again, contract, settings)
    second, _ = cpu_seconds(lambda: raw.load_batch(again, contract, settings, "second"))
    ratios["load again / first load"] = second / first
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="bills (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds counted (default 5)")
    options = parser.parse_args()
    os.environ.setdefault("KEHU_HASH_KEY", "0" * 32)
    console = Console()
    measured: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as name:
        root = Path(name)
        (root / "contracts" / "billing").mkdir(parents=True)
        shutil.copy(CONTRACT, root / "contracts" / "billing")
        source = root / "billing.db"
        make_source(source, options.rows)
        base = replace(
            kehu_settings.load({}),
            contract_dirs=(root / "contracts",),
            source_urls={"billing": f"sqlite:///{source}"},
        )
        # The first round, not counted, imports what is imported late.
        for number in track(range(options.rounds + 1), "measuring", console=console):
            home = root / f"round-{number}"
            home.mkdir()
            for what, ratio in one_round(replace(base, home=home), source, number).items():
                measured.setdefault(what, []).append(ratio)
            shutil.rmtree(home)
    table = Table(title=f"{options.rows:,} rows, {options.rounds} rounds, CPU seconds")
    for heading in ("ratio", "least", "median", "greatest"):
        table.add_column(heading, justify="left" if heading == "ratio" else "right")
    for what, values in measured.items():
        counted = values[1:]
        figures = (min(counted), statistics.median(counted), max(counted))
        table.add_row(what, *(f"{figure:.2f}" for figure in figures))
    console.print(table)


if __name__ == "__main__":
    main()
