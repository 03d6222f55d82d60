"""Age the debts of any table by the rules of the warehouse: the SQL of a build runs on it.

  python -m analytics ageing --records FILE --mapping YAML --as-of DAY [--as-of DAY] [--to FILE]

Prints per day what is open by bucket, how late the settled debts were, and DSO; `--to` writes the
buckets of every customer. docs/measure_your_data.md has the form of the mapping.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
from rich.console import Console
from rich.table import Table

from analytics.ageing.build import Aged, age
from analytics.arrow import pc, table_of
from analytics.checks.figures import wide
from analytics.table_file import Columns, read_mapping

NO_CURRENCY = "XXX"
"""ISO 4217's code where there is none."""
NEEDED = ("customer", "issued", "due", "amount")


@dataclass(frozen=True)
class Debts:
    """The table in the names of the warehouse; rows that its gate would refuse are counted."""

    rows: pa.Table
    due_before_issued: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--records", type=Path, required=True, help="one row per debt")
    parser.add_argument("--mapping", type=Path, required=True, help="YAML: what the columns are")
    parser.add_argument(
        "--as-of", type=date.fromisoformat, action="append", required=True, help="yyyy-mm-dd"
    )
    parser.add_argument("--to", type=Path, help="CSV: customer, day, bucket, count, amount")


def run(arguments: argparse.Namespace) -> int:
    """Print what is open and how late; 0."""
    debts = read(arguments.records, arguments.mapping)
    aged = age(debts.rows, arguments.as_of)
    console = wide()
    _show(console, aged)
    if debts.due_before_issued:
        console.print(
            f"{debts.due_before_issued} rows left out: due before they were issued", highlight=False
        )
    if arguments.to:
        pyarrow.csv.write_csv(aged.ageing, arguments.to)
        console.print(f"{aged.ageing.num_rows} rows: {arguments.to}", highlight=False)
    return 0


def read(path: Path, mapping: Path) -> Debts:
    """Debts of a file; raises `AnalysisError` naming what is missing or cannot be read."""
    columns = Columns(path, read_mapping(mapping))
    columns.require(NEEDED, {})
    count = columns.table.num_rows
    amount = columns.amount("amount")
    settled = (
        columns.date("settled", blank=True)
        if columns.has("settled")
        else pa.nulls(count, pa.date32())
    )
    rows = table_of(
        {
            "receivable_key": pc.cast(pa.array(range(count)), pa.string()),
            "customer_id": columns.text("customer"),
            "issued_date": columns.date("issued"),
            "due_date": columns.date("due"),
            "amount": amount,
            "currency_code": columns.text("currency")
            if columns.has("currency")
            else pa.repeat(pa.scalar(NO_CURRENCY), count),
            "settled_date": settled,
            "paid_amount": columns.amount("paid") if columns.has("paid") else amount,
        }
    )
    sound = pc.greater_equal(rows["due_date"], rows["issued_date"])
    kept = rows.filter(sound)
    return Debts(kept, count - kept.num_rows)


def _show(console: Console, aged: Aged) -> None:
    table = Table("as of", "currency", "bucket", title="Open debts")
    for name in ("debts", "amount"):
        table.add_column(name, justify="right")
    for row in by_bucket(aged.ageing).to_pylist():
        table.add_row(
            str(row["as_of_date"]),
            row["currency_code"],
            row["bucket"],
            f"{row['open_count']:,}",
            f"{row['open_amount']:,.2f}",
        )
    console.print(table)
    table = Table("as of", "currency", title="Settled debts, and days that sales stay out")
    for name in ("debts", "settled", "late", "late %", "late amount", "mean days late", "DSO"):
        table.add_column(name, justify="right")
    table.add_column("best possible", justify="right")
    for row in aged.lateness.to_pylist():
        table.add_row(
            str(row["as_of_date"]),
            row["currency_code"],
            f"{row['debts']:,}",
            f"{row['settled_debts']:,}",
            f"{row['late_debts']:,}",
            _told(row["late_share"], 100),
            f"{row['late_amount']:,.2f}",
            _told(row["days_late_mean"]),
            _told(row["dso_days"]),
            _told(row["best_possible_dso_days"]),
        )
    console.print(table)


def by_bucket(ageing: pa.Table) -> pa.Table:
    """Over all customers: as_of_date, currency_code, bucket, open_count, open_amount."""
    keys = ["as_of_date", "currency_code", "bucket_rank", "bucket"]
    summed = ageing.group_by(keys).aggregate([("open_count", "sum"), ("open_amount", "sum")])
    summed = summed.select([*keys, "open_count_sum", "open_amount_sum"])
    summed = summed.rename_columns([*keys, "open_count", "open_amount"])
    return summed.sort_by([(key, "ascending") for key in keys])


def _told(value: float | None, times: int = 1) -> str:
    return "" if value is None else f"{value * times:.4f}"
