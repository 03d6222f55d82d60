"""One table through extract, gate and load: in full, without a change, with one row in a hundred.

In: a number of rows and rounds. Out: a table of ratios (least, median, greatest). Touches: a
PostgreSQL server of its own and a temporary folder.

CPU seconds are those of this process and of the server together. What a run costs when the table
is empty (connections, contracts, suites) is the fixed start-up and is taken off each run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import psycopg2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.extract import server_cpu, server_of
from bench.stages import CONTRACT, STRUCTURE, cpu_seconds
from expectations import gate
from extract.contract import read
from extract.run import extract_system
from kehu import settings as kehu_settings
from kehu.settings import Settings
from tests import own_servers
from warehouse import raw

DAY = date(2026, 1, 31)
BARS = {
    "rules / ingest": 0.10,
    "rules / one select": 4.0,
    "no change / full": 0.03,
    "1% changed / full": 0.10,
}
ROWS = """
    insert into bills
    select 'B' || lpad(i::text, 9, '0'), 'A' || lpad((i / 24)::text, 7, '0'), '2025-' ||
        lpad((1 + i %% 12)::text, 2, '0'), make_date(2025, 1 + i %% 12, 5),
        make_date(2025, 1 + i %% 12, 25), 100 + i %% 900, 50 + i %% 400 + 0.25, 30 + i %% 300, null,
        'CNY', make_date(2025, 1 + i %% 12, 5) + interval '8 hours'
    from generate_series(1, %s) as i
"""
CHANGE = """
    update bills set late_fee = coalesce(late_fee, 0) + 1,
        updated_at = %s::timestamp + substr(bill_no, 4, 5)::int %% 600 * interval '1 minute'
    where right(bill_no, 2) = %s
"""


@dataclass
class Run:
    """CPU seconds of the stages of one run, the server's included, and the rows that landed.

    `rules` is the part of the gate that finds the rows that break a rule; the rest divides the rows
    and derives identifiers.
    """

    extract: float
    rules: float
    gate: float
    load: float
    rows: int
    batch: Any

    @property
    def whole(self) -> float:
        return self.extract + self.gate + self.load


def execute(url: str, *statements: tuple[str, tuple[Any, ...]]) -> None:
    with closing(psycopg2.connect(url)) as connection:
        for statement, values in statements:
            connection.cursor().execute(statement, values)
        connection.commit()


def ingest(settings: Settings, server: int, number: int) -> Run:
    """One run as the DAG makes it: what changed since the watermark, checked, loaded."""
    contract = read(CONTRACT)

    def with_server(action: Callable[[], Any]) -> tuple[float, Any]:
        before = server_cpu(server)
        mine, result = cpu_seconds(action)
        return mine + server_cpu(server) - before, result

    extracting, (batch,) = with_server(
        lambda: extract_system(
            "billing",
            day=DAY,
            run_id=f"bench-{number}",
            watermarks=raw.watermarks("billing", settings),
            settings=settings,
        )
    )
    rules: list[float] = []
    find = gate._findings

    def watched(*arguments: Any) -> Any:
        seconds, findings = cpu_seconds(lambda: find(*arguments))
        rules.append(seconds)
        return findings

    with patch.object(gate, "_findings", watched):
        gating, verdict = with_server(lambda: gate.validate(batch, contract, settings))
    loading, _ = with_server(lambda: raw.load_batch(batch, contract, settings, f"bench-{number}"))
    return Run(extracting, sum(rules), gating, loading, verdict.landed_rows, batch)


def one_round(settings: Settings, url: str, server: int, rows: int) -> dict[str, float]:
    """The ratios of one round in a home of its own, and seconds for who wants to see them."""
    raw.create_all([read(CONTRACT)], settings)
    execute(url, ("truncate bills", ()))
    fixed = min((ingest(settings, server, n) for n in range(2)), key=lambda run: run.whole)
    execute(url, (ROWS, (rows,)))
    vacuum(url)
    full = ingest(settings, server, 2)
    if full.rows != rows:
        raise SystemExit(f"{full.rows} rows landed instead of {rows}")
    select, _ = cpu_seconds(lambda: duckdb.sql(STRUCTURE, params=[str(full.batch.data)]).fetchall())
    # The watermark is that of the last bill; a day later nothing has changed.
    execute(url, (CHANGE, ("2025-12-31 08:00:00", "00")))
    vacuum(url)
    ingest(settings, server, 3)
    same = ingest(settings, server, 4)
    execute(url, (CHANGE, ("2026-01-30 08:00:00", "01")))
    vacuum(url)
    changed = ingest(settings, server, 5)
    more = full.whole - fixed.whole
    return {
        "rules / ingest": (full.rules - fixed.rules) / more,
        "rules / one select": (full.rules - fixed.rules) / select,
        "no change / full": max(same.whole - fixed.whole, 0) / more,
        "1% changed / full": (changed.whole - fixed.whole) / more,
        "extract, CPU s": full.extract - fixed.extract,
        "rules, CPU s": full.rules - fixed.rules,
        "gate, rules included, CPU s": full.gate - fixed.gate,
        "load, CPU s": full.load - fixed.load,
        "fixed start-up, CPU s": fixed.whole,
        "no change: extract, CPU s": same.extract - fixed.extract,
        "no change: gate, CPU s": same.gate - fixed.gate,
        "no change: load, CPU s": same.load - fixed.load,
        "1% changed: extract, CPU s": changed.extract - fixed.extract,
        "1% changed: gate, CPU s": changed.gate - fixed.gate,
        "1% changed: load, CPU s": changed.load - fixed.load,
        "rows read without a change": same.rows,
        "rows read of 1%": changed.rows,
    }


def vacuum(url: str) -> None:
    """So that the server's own housekeeping falls into no measurement."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute("vacuum (analyze) bills")


def create(url: str) -> None:
    columns = ", ".join(f"{c.name} {c.physical_type}" for c in read(CONTRACT).columns)
    execute(
        url,
        (f"create table bills ({columns}, primary key (bill_no))", ()),
        ("create index on bills (updated_at)", ()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="bills (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds counted (default 5)")
    options = parser.parse_args()
    os.environ.setdefault("KEHU_HASH_KEY", "0" * 32)
    console = Console()
    found: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="kehu-bench-") as name,
        own_servers.own_postgres(Path(name), ["autovacuum=off"]) as port,
    ):
        root, url = Path(name), f"postgresql://postgres@127.0.0.1:{port}/postgres"
        (root / "contracts" / "billing").mkdir(parents=True)
        shutil.copy(CONTRACT, root / "contracts" / "billing")
        create(url)
        base = replace(
            kehu_settings.load({}),
            contract_dirs=(root / "contracts",),
            source_urls={"billing": url},
        )
        for number in track(range(options.rounds), "measuring", console=Console(stderr=True)):
            home = root / f"round-{number}"
            home.mkdir()
            settings = replace(base, home=home)
            for what, figure in one_round(settings, url, server_of(url), options.rows).items():
                found.setdefault(what, []).append(figure)
            shutil.rmtree(home)
    table = Table(title=f"{options.rows:,} bills, {options.rounds} rounds")
    for heading in ("figure", "least", "median", "greatest", "bar"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for what, values in found.items():
        figures = (min(values), statistics.median(values), max(values))
        form = "{:,.0f}" if what.startswith("rows read") else "{:.3f}"
        shown = [form.format(figure) for figure in figures]
        table.add_row(what, *shown, f"{BARS[what]:.2f}" if what in BARS else "")
    console.print(table)


if __name__ == "__main__":
    main()
