"""What customers are worth who may leave without a word, from any table of transactions.

  python -m analytics lifetime-value --transactions FILE --mapping YAML
      [--until DAY] [--holdout DAYS] [--without-money] [--to FILE.csv]

The mapping names the columns of customer, date and amount; docs/measure_your_data.md has its form.
Times are in weeks. With --holdout, the last so many days are kept from the fit and judge it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.csv
from rich.console import Console
from rich.table import Table

from analytics import transactions
from analytics.arrow import table_of
from analytics.lifetime import bg_nbd, gamma_gamma
from analytics.lifetime.bg_nbd import BgNbd, Cells
from analytics.lifetime.gamma_gamma import GammaGamma
from analytics.lifetime.step import HoldOut, predict
from analytics.maximum_likelihood import Fit
from analytics.transactions import Histories, Purchases
from kehu.errors import AnalysisError

WEEK = 7


@dataclass(frozen=True)
class Measured:
    """Fits on histories up to a day, times in weeks; the hold-out from then on."""

    histories: Histories
    cells: Cells
    purchases: BgNbd
    money: GammaGamma | None
    holdout: HoldOut | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--transactions", type=Path, required=True, help="CSV, text or Parquet")
    parser.add_argument("--mapping", type=Path, required=True, help="YAML: which column is what")
    parser.add_argument("--until", type=date.fromisoformat, help="last day of the fit")
    parser.add_argument("--holdout", type=int, default=0, help="days after it that judge the fit")
    parser.add_argument("--without-money", action="store_true", help="how often, not how much")
    parser.add_argument("--to", type=Path, help="CSV: what is expected of each customer")


def run(arguments: argparse.Namespace) -> int:
    """Print fits and quality."""
    path, with_money = arguments.transactions, not arguments.without_money
    purchases = transactions.read_purchases(path, arguments.mapping, with_amounts=with_money)
    until = (
        transactions.day_number(arguments.until)
        if arguments.until
        else purchases.last_day - arguments.holdout
    )
    measured = measure(purchases, until, arguments.holdout, str(path), with_money=with_money)
    console = Console()
    day = transactions.EPOCH + timedelta(days=until)
    console.print(
        f"{len(measured.histories.x):,} customers known on {day}, {len(measured.cells.x):,}"
        f" distinct histories, {int((measured.histories.x > 0).sum()):,} with a repeat purchase"
    )
    _show_fit(console, "BG/NBD, weeks", measured.purchases.fit)
    if measured.money:
        title = f"Gamma-Gamma, {measured.money.customers:,} customers with a repeat purchase"
        _show_fit(console, title, measured.money.fit)
    if measured.holdout:
        _show_holdout(console, measured.holdout, arguments.holdout)
    if arguments.to:
        _write(measured, purchases, arguments.to)
        console.print(f"What is expected of each customer: {arguments.to}")
    return 0


def measure(
    purchases: Purchases, until: int, holdout: int, where: str, *, with_money: bool = True
) -> Measured:
    """Fit both models on what was known at the end of day `until`."""
    known = transactions.histories(purchases, until)
    of = bg_nbd.cells(known.x, known.t_x / WEEK, known.T / WEEK)
    try:
        model = bg_nbd.fit(of)
        money = gamma_gamma.fit(known.x, known.mean_amount) if with_money else None
    except ValueError as error:
        raise AnalysisError(
            f"No model can be fitted: {error}.",
            where=where,
            do="give more history, or look whether the mapping names the right columns",
        ) from None
    held = None
    if holdout:
        seen, _ = transactions.bought_between(purchases, until, until + holdout)
        held = HoldOut(
            model.expected_purchases(of, holdout / WEEK)[of.cell],
            seen[known.customer].astype(np.float64),
            known.x / np.maximum(known.T, 30) * holdout,
        )
    return Measured(known, of, model, money, held)


def _show_fit(console: Console, title: str, fit: Fit) -> None:
    table = Table("parameter", title=title)
    for name in ("value", "standard error"):
        table.add_column(name, justify="right")
    for name, value in fit.parameters.items():
        table.add_row(name, f"{value:.4f}", f"{fit.standard_errors[name]:.4f}")
    console.print(table)
    console.print(f"log-likelihood {fit.log_likelihood:,.1f}", highlight=False)
    if not fit.converged:
        console.print(
            "The maximum lies at an edge, as when nobody is seen to leave: what is expected of"
            " customers holds, these parameters by themselves tell nothing."
        )


def _show_holdout(console: Console, held: HoldOut, days: int) -> None:
    table = Table("metric", title=f"The {days} days that were held out")
    for name in ("model", "own rate goes on"):
        table.add_column(name, justify="right")
    for figure in held.figures():
        table.add_row(figure.metric, f"{figure.value:.4f}", f"{figure.baseline_value:.4f}")
    console.print(table)


def _write(measured: Measured, purchases: Purchases, path: Path) -> None:
    known, of = measured.histories, measured.cells
    columns: dict[str, object] = {
        "customer": [purchases.names[place] for place in known.customer],
        "repeat_purchases": known.x,
        "days_to_last_purchase": known.t_x,
        "days_observed": known.T,
    }
    if measured.money:
        amount = measured.money.expected_amount(known.x, known.mean_amount)
        columns |= predict(of, measured.purchases, amount, WEEK)
    else:
        columns["probability_alive"] = measured.purchases.probability_alive(of)[of.cell]
    pyarrow.csv.write_csv(table_of(columns), path)
