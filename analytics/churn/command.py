"""Who will leave, learnt from any table of customers that says who left.

  python -m analytics churn --customers FILE --mapping YAML [--seeds 10] [--to FILE.csv]

The mapping names the key and the outcome; every other column is a feature, unless it is left out.
docs/measure_your_data.md has its form. Quality is told for seeded stratified quarters of the
customers that the model never saw.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from analytics.arrow import pc, table_of
from analytics.churn import step, trials
from analytics.churn.trials import Trials
from analytics.table_file import Columns, read_mapping
from kehu.errors import AnalysisError

FEWEST = 30
"""As the setting `churn_fewest_customers` of the warehouse is delivered."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--customers", type=Path, required=True, help="CSV (also gzip) or Parquet")
    parser.add_argument("--mapping", type=Path, required=True, help="YAML: which column is what")
    parser.add_argument("--seeds", type=int, default=10, help="trials, default: 10")
    parser.add_argument(
        "--fewest",
        type=int,
        default=FEWEST,
        help=f"so many must have left, and as many stayed, to learn anything; default: {FEWEST}",
    )
    parser.add_argument("--to", type=Path, help="CSV: probability and reasons per customer")


def run(arguments: argparse.Namespace) -> int:
    """Print the quality; 1 when the model does not beat its baseline."""
    rows = customers(arguments.customers, arguments.mapping)
    of, left = step.features(rows), outcome(rows, arguments.customers, arguments.fewest)
    measured = trials.run(of, left, range(1, arguments.seeds + 1))
    console = Console()
    console.print(f"{len(of):,} customers, {int(left.sum()):,} left, {len(of.names)} features")
    show(console, measured)
    if arguments.to:
        scored = rows.set_column(
            rows.column_names.index("is_training"), "is_training", pa.repeat(False, len(rows))
        )
        quality, risks, _ = step.judge(
            datetime.now(UTC).date(), "contract", pa.concat_tables([rows, scored]), arguments.fewest
        )
        pyarrow.csv.write_csv(risks.drop_columns(["as_of_date", "population"]), arguments.to)
        console.print(f"{quality.note}: {arguments.to}")
    beaten = all(
        (measured.mean(name) > measured.mean_baseline(name)) == more
        for name, more in (("auc", True), ("brier", False))
    )
    return 0 if beaten else 1


def customers(path: Path, mapping: Path) -> pa.Table:
    """Rows as the step takes them: key, has_left, features."""
    said = read_mapping(mapping)
    columns = Columns(path, said)
    columns.require(
        ["customer", "churned"],
        {"churned": "The customer table does not say who left: without it nothing can be learnt."},
    )
    answers = columns.text("churned")
    keys = {said.columns["customer"], said.columns["churned"], *said.leave_out}
    made = {
        "customer_id": columns.text("customer"),
        "is_training": pa.repeat(True, columns.table.num_rows),
        "has_left": pc.equal(answers, said.churned_is or "1"),
    }
    for name in columns.table.column_names:
        if name in keys:
            continue
        if columns.is_numeric(name) and name not in said.categories:
            made[name] = columns.number(name)
        else:
            made[name] = pc.cast(columns.table[name], pa.string())
    return table_of(made)


def outcome(rows: pa.Table, path: Path, fewest: int = FEWEST) -> NDArray[np.bool_]:
    """Who left; raises `AnalysisError` when fewer than `fewest` are on one side."""
    left: NDArray[np.bool_] = rows["has_left"].to_numpy(zero_copy_only=False).astype(bool)
    if min(int(left.sum()), int((~left).sum())) < fewest:
        raise AnalysisError(
            f"{int(left.sum())} of {len(left)} customers left: too few on one side.",
            where=f"{path}, column churned, at least {fewest} on each side",
            do="see that `churned_is` of the mapping is the file's word for those who left",
        )
    return left


def show(console: Console, measured: Trials) -> None:
    """Metrics as means over the trials, then the calibration."""
    table = Table("metric", title="On customers never seen, mean of the trials")
    for name in ("model", "lowest", "highest", "baseline"):
        table.add_column(name, justify="right")
    for metric in dict.fromkeys(one.metric for one in measured.figures):
        of = [one for one in measured.figures if one.metric == metric]
        baseline = "" if of[0].baseline_value is None else f"{measured.mean_baseline(metric):.4f}"
        values = [one.value for one in of]
        table.add_row(
            metric, f"{np.mean(values):.4f}", f"{min(values):.4f}", f"{max(values):.4f}",
            f"{baseline} {of[0].baseline}".strip(),
        )  # fmt: skip
    console.print(table)
    groups = Table("tenth", title="Calibration")
    for name in ("customers", "expected", "seen"):
        groups.add_column(name, justify="right")
    for place, (size, expected, seen) in enumerate(measured.calibration.to_numpy(), 1):
        groups.add_row(str(place), f"{int(size):,}", f"{expected:.4f}", f"{seen:.4f}")
    console.print(groups)
