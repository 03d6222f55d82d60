"""Compare the models with published figures: CDNOW, Online Retail, Telco Customer Churn.

  python -m analytics value-checks --data FOLDER

The folder holds cdnow/, online_retail/ and telco_churn/. Prints each figure, expected and found;
exit status 1 on a difference. `make value-checks DATA=FOLDER` does the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
from rich.console import Console

from analytics import rfm, transactions
from analytics.checks.figures import (
    Found,
    Line,
    compared,
    expected_in,
    public_set,
    show,
    wide,
)
from analytics.churn import command as churn
from analytics.churn import step, trials
from analytics.lifetime import bg_nbd
from analytics.lifetime import command as lifetime
from kehu.errors import AnalysisError

MAPPINGS = Path(__file__).parent.parent / "mappings"
FIGURES = Path(__file__).with_name("value.yaml")
SEEDS = range(1, 11)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; 1 on a difference."""
    console = wide()
    return show(compare(arguments.data, console), console)


def compare(data: Path, console: Console | None = None) -> list[Line]:
    """Every figure of the three sets below `data`."""
    expected = expected_in(FIGURES)
    measures: dict[str, Callable[[Path], Found]] = {
        "cdnow": cdnow,
        "online_retail": online_retail,
        "telco_churn": lambda folder: telco_churn(folder, console),
    }
    lines = []
    for name, measure in measures.items():
        lines += compared(name, expected[name], measure(public_set(data, name)))
    return lines


def cdnow(folder: Path) -> Found:
    """Both models on the sample of a tenth, calibrated on the first 39 weeks."""
    path = folder / "CDNOW_sample.txt.gz"
    purchases = transactions.read_purchases(path, MAPPINGS / "cdnow.yaml")
    until, weeks = transactions.day_number(date(1997, 9, 30)), 39
    measured = lifetime.measure(purchases, until, weeks * 7, str(path))
    model, held, money = measured.purchases, measured.holdout, measured.money
    if held is None or money is None:
        raise AnalysisError("Nothing was held out.", where=str(path), do="give the whole file")
    fit, known = model.fit, measured.histories
    expected = model.expected_since_start(known.T / 7 + weeks).sum()
    seen = known.x.sum() + held.seen.sum()
    one = bg_nbd.cells([2], [30.43], [38.86])
    return {
        "customers": len(known.x),
        "customers with a repeat purchase": money.customers,
        **{f"BG/NBD {name}": fit.parameters[name] for name in bg_nbd.NAMES},
        "BG/NBD log-likelihood": fit.log_likelihood,
        "E[Y(39) | x = 2, t_x = 30.43, T = 38.86]": float(model.expected_purchases(one, weeks)[0]),
        "hold-out correlation": held.figures()[2].value,
        "cumulative purchases at week 78, off by percent": 100 * float(expected / seen - 1),
        **{f"Gamma-Gamma {name}": value for name, value in money.fit.parameters.items()},
    }


def online_retail(folder: Path) -> Found:
    """Recency, frequency and money at 2011-12-10."""
    path = folder / "online_retail.parquet"
    found = rfm.measure(path, MAPPINGS / "online_retail.yaml", date(2011, 12, 10))
    recency, frequency, money = found.medians()
    top, share = found.top_share(0.2)
    figures: dict[str, float | Decimal] = {
        "customers": found.rows.num_rows,
        "median of R": recency,
        "median of F": frequency,
        "median of M": money,
        "all money": sum(found.money, Decimal(0)),
        "customers in the top fifth": top,
        "share of the top fifth, percent": share,
    }
    for customer in ("12346", "12347", "14646"):
        of = found.of(customer)
        for place, letter in enumerate("RFM"):
            figures[f"{letter} of {customer}"] = of[place]
    return figures


def telco_churn(folder: Path, console: Console | None) -> Found:
    """The churn model on ten seeded stratified quarters that it never saw."""
    path = folder / "Telco-Customer-Churn.csv.gz"
    rows = churn.customers(path, MAPPINGS / "telco_churn.yaml")
    left = churn.outcome(rows, path)
    measured = trials.run(step.features(rows), left, SEEDS)
    if console:
        churn.show(console, measured)
    return {
        "customers": rows.num_rows,
        "left": int(np.sum(left)),
        "mean AUC of ten unseen quarters": measured.mean("auc"),
        "mean calibration error": measured.mean("calibration_error"),
    }
