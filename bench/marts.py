"""Marts at size: models of the project over generated core tables, in a folder of its own.

In: names of models' folders, tables of a DuckDB file. Out: a dbt project; what a build of it cost.
Touches: the folder it is given.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from kehu.settings import CLONE
from tests.dbt_project.made_up_facts import COLUMNS, known

AS_OF = date(2026, 1, 31)
PROJECT = CLONE / "dbt_project"
SEEDS = ("schemes", "value", "credit", "statistics")
GENERATED = (
    *("int_customers", "dim_customers", "fct_transactions"),
    *("dim_dates", "dim_exchange_rates"),
)
ALLOCATIONS = {
    "fct_receipt_allocations": "receipt_key varchar, receivable_key varchar,"
    " allocated_amount decimal(18,2), paid_date date, settled_date date, reversed_date date",
}
OTHER_FACTS = {
    name: columns
    for name, columns in (COLUMNS | ALLOCATIONS).items()
    if name not in (*GENERATED, "bridge_customer_records")
}
"""Facts that a bench may leave out: their tables stand, empty."""


def project(
    folder: Path, layers: Iterable[str], models: Iterable[str] = (), given: Iterable[str] = ()
) -> None:
    """Macros, seeds, the folders `layers` of models and single `models` (`core/…/name`); what they
    read of core, `given` besides the usual, stands in as the tables of the schema core."""
    shutil.copytree(PROJECT / "macros", folder / "macros")
    for seeds in SEEDS:
        shutil.copytree(PROJECT / "seeds" / seeds, folder / "seeds" / seeds)
    for layer in layers:
        shutil.copytree(
            PROJECT / "models" / layer,
            folder / "models" / layer,
            ignore=shutil.ignore_patterns("*__unit_tests.yml"),
        )
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, folder)
    core = folder / "models" / "core"
    core.mkdir()
    for model in models:
        shutil.copy(PROJECT / "models" / f"{model}.sql", core)
    for name in (*GENERATED, *OTHER_FACTS, *given):
        if not (core / f"{name}.sql").exists():
            # in a schema of its own, so that the name of the table stays the generated one's
            (core / f"{name}.sql").write_text(
                f"{{{{ config(materialized='view', schema='given') }}}}\n"
                f"select * from core.{name}\n",
                encoding="utf-8",
            )


def arrive(facts: Path, file: Path, day: str) -> None:
    """What was known on `day` of the core tables in `facts`, as the core tables of `file`."""
    with duckdb.connect(str(file)) as con:
        con.execute("set threads = 2; set memory_limit = '8GB'; create schema if not exists core")
        con.execute(f"attach '{facts}' as facts (read_only)")
        there = "database_name = 'facts' and schema_name = 'core' and not internal"
        for (table,) in con.sql(f"select table_name from duckdb_tables() where {there}").fetchall():
            con.execute(
                f"create or replace table core.{table} as"
                f" {known(table, day, f'facts.core.{table}')}"
            )
        for (view,) in con.sql(f"select sql from duckdb_views() where {there}").fetchall():
            con.execute(view.replace("CREATE VIEW", "create or replace view"))
    os.sync()  # writing it out is nobody's work that is measured


def month_ends(count: int) -> list[str]:
    """The last days of `count` months up to the as-of date."""
    days, day = [], AS_OF
    for _ in range(count):
        days.append(day.isoformat())
        day = day.replace(day=1) - timedelta(days=1)
    return sorted(days)


@dataclass(frozen=True)
class Built:
    """What a build cost: seconds of wall and of CPU, gigabytes at most, the slowest models.

    Reading the project comes before it, and is told apart: a daily run finds it in its cache.
    """

    seconds: float
    cpu: float
    gigabytes: float
    slowest: str
    parsing: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:.1f} s ({self.cpu:.0f} s of CPU), {self.gigabytes:.1f} GB"
            f" ({self.slowest}; dbt read the project in {self.parsing:.1f} s)"
        )


PARSE_AND_BUILD = """
import json, resource, sys, time
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

parse, build = json.loads(sys.argv[1])
began = time.perf_counter()
manifest = dbtRunner().invoke(parse).result
manifest.build_flat_graph()
parsed, cpu = time.perf_counter(), time.process_time()
outcome = dbtRunner(manifest=manifest).invoke(build)
DuckDBConnectionManager.close_all_connections()  # what is left is written to the file
nodes = outcome.result.results
print(json.dumps({
    "success": outcome.success,
    "parsing": parsed - began,
    "seconds": time.perf_counter() - parsed,
    "cpu": time.process_time() - cpu,
    "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    "slowest": sorted(((n.execution_time, n.node.name) for n in nodes), reverse=True)[:12],
    "faults": [(n.node.name, n.message) for n in nodes if n.status == "error"],
}))
"""


def build(
    folder: Path,
    file: Path,
    days: Sequence[str],
    select: Sequence[str],
    exclude: Sequence[str] = (),
) -> Built:
    """What dbt selects, in a process of its own; tests are not run."""
    variables = json.dumps({"reporting_currency": "CNY"})
    quiet = ["--quiet", "--no-version-check", "--no-send-anonymous-usage-stats"]
    quiet += ["--log-level", "none", "--log-level-file", "info"]
    chosen = ["--select", *select, "--exclude", "source:*+", *exclude]
    chosen += ["--exclude-resource-type", "test"]
    places = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    places += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    places += ["--vars", variables]
    commands = [*quiet, "parse", *places], [*quiet, "build", *chosen, *places]
    done = subprocess.run(
        [sys.executable, "-c", PARSE_AND_BUILD, json.dumps(commands)],
        # the process itself takes up to a gigabyte beside what DuckDB may take
        env={
            "KEHU_MEMORY": "7GB",
            **os.environ,
            "KEHU_WORK_FILE": str(file),
            "KEHU_DBT_AS_OF_DATES": " ".join(days),
            "DO_NOT_TRACK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["success"], told["faults"]
    slowest = ", ".join(f"{name} {took:.1f}" for took, name in told["slowest"])
    return Built(told["seconds"], told["cpu"], told["gigabytes"], slowest, told["parsing"])
