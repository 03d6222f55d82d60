"""Recency, frequency and money of any table of transactions, and what the best customers hold.

  python -m analytics rfm --transactions FILE --mapping YAML [--as-of DAY] [--to FILE.csv]

The definitions are those of value.rfm: days since the last purchase, distinct documents, sum of
amounts up to the as-of date; band = least(5, 1 + floor(5 x percent_rank)), 5 is best. The mapping
names the columns of customer, date, amount and, where there is one, document.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from analytics.arrow import pc, table_of
from analytics.table_file import Columns, read_mapping
from analytics.transactions import NO_AMOUNTS

BANDS = 5


@dataclass(frozen=True)
class Rfm:
    """`rows`: customer, recency_days, frequency, monetary (decimal), r_score, f_score, m_score."""

    as_of: date
    rows: pa.Table

    @property
    def money(self) -> list[Decimal]:
        """Of each customer."""
        found: list[Any] = self.rows["monetary"].to_pylist()
        return found

    def top_share(self, share: float) -> tuple[int, Decimal]:
        """How many customers are the best `share`, and the percentage of all money they hold."""
        amounts = sorted(self.money, reverse=True)
        top = -(-round(share * 1000) * len(amounts) // 1000)
        return top, 100 * sum(amounts[:top], Decimal(0)) / sum(amounts, Decimal(0))

    def medians(self) -> tuple[float, float, Decimal]:
        """Of recency, frequency and money; the middle of two where the number is even."""
        money = sorted(self.money)
        middle = (money[(len(money) - 1) // 2] + money[len(money) // 2]) / 2
        recency, frequency = (
            float(np.median(self.rows[name].to_numpy())) for name in ("recency_days", "frequency")
        )
        return recency, frequency, middle

    def of(self, customer: str) -> tuple[int, int, Decimal]:
        """Recency, frequency and money of one customer."""
        (row,) = self.rows.filter(pc.equal(self.rows["customer"], customer)).to_pylist()
        return row["recency_days"], row["frequency"], row["monetary"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--transactions", type=Path, required=True, help="CSV, text or Parquet")
    parser.add_argument("--mapping", type=Path, required=True, help="YAML: which column is what")
    parser.add_argument(
        "--as-of", type=date.fromisoformat, help="default: the day after the last purchase"
    )
    parser.add_argument("--to", type=Path, help="CSV: a row per customer")


def run(arguments: argparse.Namespace) -> int:
    """Print medians, bands and the share of the top fifth."""
    found = measure(arguments.transactions, arguments.mapping, arguments.as_of)
    console = Console()
    recency, frequency, money = found.medians()
    console.print(f"{found.rows.num_rows:,} customers with a purchase until {found.as_of}")
    console.print(f"medians: recency {recency:g}, frequency {frequency:g}, money {money:,.4f}")
    top, share = found.top_share(0.2)
    console.print(f"the best fifth, {top:,} customers, hold {share:.4f}% of all money")
    bands = Table("band", title="Customers by band")
    for name in ("r_score", "f_score", "m_score"):
        bands.add_column(name, justify="right")
    for band in range(BANDS, 0, -1):
        counts = [
            pc.sum(pc.equal(found.rows[name], band)).as_py()
            for name in ("r_score", "f_score", "m_score")
        ]
        bands.add_row(str(band), *(f"{count:,}" for count in counts))
    console.print(bands)
    if arguments.to:
        pyarrow.csv.write_csv(found.rows, arguments.to)
        console.print(f"A row per customer: {arguments.to}")
    return 0


def measure(path: Path, mapping: Path, as_of: date | None = None) -> Rfm:
    """RFM of the purchases in `path`; raises `AnalysisError` naming what is missing."""
    columns = Columns(path, read_mapping(mapping))
    columns.require(["customer", "date", "amount"], {"amount": NO_AMOUNTS})
    days = columns.date("date")
    rows = table_of(
        {
            "customer": columns.text("customer"),
            "day": days,
            # without documents, what a customer buys on one day is one purchase
            "document": columns.text("document") if columns.has("document") else days,
            "amount": columns.amount("amount"),
        }
    )
    day = as_of or pc.max(days).as_py() + timedelta(days=1)
    rows = rows.filter(pc.less_equal(rows["day"], pa.scalar(day, pa.date32())))
    grouped = rows.group_by("customer").aggregate(
        [("day", "max"), ("document", "count_distinct"), ("amount", "sum")]
    )
    grouped = grouped.sort_by("customer")
    last = grouped["day_max"].cast(pa.int32()).to_numpy().astype(np.int64)
    recency = (day - date(1970, 1, 1)).days - last
    frequency = grouped["document_count_distinct"].to_numpy()
    money = grouped["amount_sum"]
    # exact order of decimals: equal amounts, equal rank
    ranks = pc.rank(money, sort_keys="ascending", tiebreaker="min").to_numpy().astype(np.int64)
    return Rfm(
        day,
        table_of(
            {
                "customer": grouped["customer"],
                "recency_days": recency,
                "frequency": frequency,
                "monetary": money,
                "r_score": _bands(-recency),
                "f_score": _bands(frequency),
                "m_score": _bands(ranks),
            }
        ),
    )


def _bands(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """5 = best; in whole numbers, so that no rounding moves anybody."""
    if len(values) == 1:
        return np.ones(1, dtype=np.int64)
    below = np.searchsorted(np.sort(values), values, side="left")
    found: NDArray[np.int64] = np.minimum(BANDS, 1 + BANDS * below // (len(values) - 1))
    return found
