"""The SQL of the warehouse on a table of debts that never was in it.

In: debts as Arrow (receivable_key, customer_id, issued_date, due_date, amount, currency_code, and
settled_date with paid_amount where something was paid), days. Out: `Aged`. Touches a folder of its
own under the system's temporary files, which is gone afterwards; dbt runs as a process beside.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kehu.errors import AnalysisError
from kehu.settings import load

PROJECT = Path(__file__).with_name("project")
MODELS = (
    "core/receivables/int_amounts_due",
    "core/receivables/int_allocations__named",
    "core/receivables/int_allocations__oldest_due",
    "core/receivables/int_allocations__reversed",
    "core/receivables/fct_receipt_allocations",
    "metrics/int_as_of_dates",
    "metrics/int_receivable_changes",
    "metrics/int_receivable_movements",
    "metrics/int_receivable_states",
    "metrics/int_receivable_positions",
    "credit/receivables_ageing",
)
"""What makes an ageing out of debts and receipts; `PROJECT` has what they read and the results."""


@dataclass(frozen=True)
class Aged:
    """Open debts by customer and bucket, and lateness, of each day."""

    ageing: pa.Table
    """as_of_date, customer_id, bucket, bucket_rank, open_count, open_amount, currency_code."""
    lateness: pa.Table
    """as_of_date, currency_code, debts, settled_debts, late_debts, late_share (0 to 1),
    late_amount, days_late_mean, dso_days, best_possible_dso_days."""


def age(debts: pa.Table, as_of_dates: Sequence[date]) -> Aged:
    """Run the models. Raises `AnalysisError` with the names of those that cannot take the rows."""
    with tempfile.TemporaryDirectory(prefix="kehu-ageing-") as temporary:
        folder = Path(temporary)
        _write_project(folder)
        pq.write_table(debts, folder / "debts.parquet")
        _build(folder, as_of_dates)
        results = (pq.read_table(folder / f"{name}.parquet") for name in ("ageing", "lateness"))
        return Aged(*results)


def _write_project(folder: Path) -> None:
    rules = load().dbt_project
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    shutil.copytree(rules / "macros", folder / "macros")
    for model in MODELS:
        shutil.copy(rules / "models" / f"{model}.sql", folder / "models")
    (folder / "seeds").mkdir()
    shutil.copy(rules / "seeds" / "schemes" / "ageing_buckets.csv", folder / "seeds")


def _build(folder: Path, as_of_dates: Sequence[date]) -> None:
    variables = {
        "folder": str(folder),
        "memory": load().memory,
        "as_of_dates": [day.isoformat() for day in as_of_dates],
    }
    dbt = [sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-version-check"]
    dbt += ["--no-send-anonymous-usage-stats", "build"]
    dbt += ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    done = subprocess.run(  # noqa: S603
        [*dbt, "--target-path", "target", "--log-path", "logs", "--vars", json.dumps(variables)],
        env={**os.environ, "DO_NOT_TRACK": "1"},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        return
    # what dbt says may hold a cell of the table: only names are told
    results = folder / "target" / "run_results.json"
    told = json.loads(results.read_text(encoding="utf-8"))["results"] if results.is_file() else []
    failed = [one["unique_id"].rpartition(".")[2] for one in told if one["status"] == "error"]
    raise AnalysisError(
        "The models cannot take the table.",
        where=f"dbt, model {', '.join(failed)}" if failed else "dbt, before its first model",
        do="look for amounts of more than sixteen digits before the point; else ask for help",
    )
