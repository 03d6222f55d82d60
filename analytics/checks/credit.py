"""Compare the credit models with published figures; prove the books and scores of a demo.

  python -m analytics credit-checks --data FOLDER --demo HOME

FOLDER holds accounts_receivable/ and german_credit/, HOME is the KEHU_HOME of a demo that was
published. Prints each figure, expected and found; exit status 1 on a difference.
`make credit-checks DATA=FOLDER` makes a demo first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analytics import records
from analytics.ageing import command as ageing
from analytics.ageing.build import age
from analytics.arrow import Column, pc
from analytics.checks.figures import (
    Found,
    Line,
    compared,
    expected_in,
    public_set,
    show,
    wide,
)
from analytics.scorecard import quality
from analytics.scorecard.binning import raw_information_value
from analytics.scorecard.card import Card
from analytics.scorecard.mapping import Mapping
from analytics.scorecard.training import outcome, train
from kehu.errors import AnalysisError

FIGURES = Path(__file__).with_name("credit.yaml")
MAPPINGS = Path(__file__).parent.parent / "mappings"
CARDS = Path(__file__).parent.parent / "models"
DAYS = (date(2012, 12, 31), date(2013, 6, 30))
ALL_SETTLED = date(2014, 12, 31)
PUBLISHED = Path("published", "parquet", "current")
ACCOUNT = ["customer_id", "source_system", "currency_code"]
MOVED = {
    "issued_amount": 1,
    "adjusted_amount": 1,
    "settled_amount": -1,
    "written_off_amount": -1,
}
"""Columns of the books that move a balance, and which way."""
NOT_CLOSED = "months that do not close at opening + issued + adjusted - settled - written off"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--demo", type=Path, required=True, help="KEHU_HOME of a published demo")


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; 1 on a difference."""
    return show(compare(arguments.data, arguments.demo), wide())


def compare(data: Path, home: Path) -> list[Line]:
    """Every figure of the two sets below `data` and of the demo in `home`."""
    expected = expected_in(FIGURES)
    measures: dict[str, Callable[[], Found]] = {
        "accounts_receivable": lambda: accounts_receivable(public_set(data, "accounts_receivable")),
        "german_credit": lambda: german_credit(public_set(data, "german_credit")),
        "demo": lambda: books(home) | scores(home),
    }
    return [
        line
        for name, measure in measures.items()
        for line in compared(name, expected[name], measure())
    ]


def accounts_receivable(folder: Path) -> dict[str, float | Decimal]:
    """Ageing at two days, and lateness once all is settled, by the SQL of the warehouse."""
    path = folder / "WA_Fn-UseC_-Accounts-Receivable.csv.gz"
    debts = ageing.read(path, MAPPINGS / "accounts_receivable.yaml").rows
    aged = age(debts, [*DAYS, ALL_SETTLED])
    figures: dict[str, float | Decimal] = {"invoices": debts.num_rows}
    for row in ageing.by_bucket(aged.ageing).to_pylist():
        for bucket in (row["bucket"], "open"):
            for what in ("invoices", "amount"):
                name = f"{row['as_of_date']} {bucket}, {what}"
                told = row["open_count" if what == "invoices" else "open_amount"]
                figures[name] = figures.get(name, 0) + told
    (lateness,) = [row for row in aged.lateness.to_pylist() if row["as_of_date"] == ALL_SETTLED]
    return figures | {
        "late": lateness["late_debts"],
        "late, percent": 100 * lateness["late_share"],
        "late, amount": lateness["late_amount"],
        "mean days late": lateness["days_late_mean"],
    }


def german_credit(folder: Path) -> dict[str, float | Decimal]:
    """Information values of the raw categories; the scorecard on loans that it never saw."""
    path = folder / "germancredit.csv.gz"
    mapping = Mapping.read(MAPPINGS / "german_credit.yaml")
    loans = records.read(path)
    bad = outcome(loans, mapping, str(path))
    unseen = quality.cross_validated(loans, bad, mapping)
    card = train(loans, bad, mapping).card
    excluded = {each.name for each in mapping.excluded}
    return {
        "loans": len(loans),
        "bad": int(bad.sum()),
        **{
            f"information value of {each.name}": raw_information_value(loans[each.name], bad)
            for each in mapping.features
            if each.kind == "category"
        },
        f"mean AUC of unseen folds, {mapping.folds} folds {mapping.repeats} times": float(
            np.mean(unseen.auc_per_fold)
        ),
        "protected columns in the card": len(excluded & set(card.features)),
    }


def books(home: Path) -> dict[str, float | Decimal]:
    """Whether the books of a publication close, in cents, for each customer, month and system."""
    told = _published(home, "credit/receivable_books")
    cents = {name: _cents(told[name]) for name in (*MOVED, "opening_amount", "closing_amount")}
    rows = told.select([*ACCOUNT, "month"]).to_pandas().assign(**cents)
    rows = rows.sort_values([*ACCOUNT, "month"], ignore_index=True)
    moved = sum(way * rows[name] for name, way in MOVED.items())
    last = rows.groupby(ACCOUNT)["closing_amount"].shift(fill_value=0)
    return {
        "months of the books": rows["month"].nunique(),
        "customers, systems and currencies": rows.groupby(ACCOUNT).ngroups,
        NOT_CLOSED: int((rows["opening_amount"] + moved != rows["closing_amount"]).sum()),
        "months that do not open where the last one closed": int(
            (rows["opening_amount"] != last).sum()
        ),
        "month ends that hold anything but the open debts": _apart(rows.assign(moved=moved), home),
    }


def _apart(rows: pd.DataFrame, home: Path) -> int:
    """Balances that are not what the ageing of the same month end has open."""
    told = _published(home, "credit/receivables_ageing")
    aged = told.select([*ACCOUNT, "as_of_date"]).to_pandas()
    aged["open"] = _cents(told["open_amount"])
    apart = 0
    days: list[date] = sorted(aged["as_of_date"].unique())
    for day in days:
        if (day + timedelta(days=1)).day != 1:
            continue  # within a month the books have not closed
        balance = rows[rows["month"] <= day].groupby(ACCOUNT)["moved"].sum()
        standing = aged[aged["as_of_date"] == day].groupby(ACCOUNT)["open"].sum()
        apart += int((balance.sub(standing, fill_value=0) != 0).sum())
    return apart


def scores(home: Path) -> dict[str, float | Decimal]:
    """Every published score again, by the file of its scorecard."""
    told = _published(home, "credit/credit_scores").to_pandas()
    metrics = _published(home, "value/customer_metrics").to_pandas()
    others, other_reasons = 0, 0
    for (name, version), rows in told.groupby(["scheme", "version"]):
        card = Card.read(CARDS / f"{name}-{version}.json")
        known = rows[["as_of_date", "customer_id"]].merge(metrics, how="left")
        for feature in card.features:
            if not any(each.bin.categories for each in card.bins(feature)):
                known[feature] = known[feature].astype(float)
        others += int((card.score(known) != rows["score"].to_numpy()).sum())
        why = [", ".join(reasons) for reasons in card.why(known)]
        other_reasons += int((np.array(why) != rows["reason_codes"].to_numpy()).sum())
    return {
        "scores": len(told),
        "scores that are another number in Python than in SQL": others,
        "reasons of a score that are others in Python than in SQL": other_reasons,
    }


def _published(home: Path, table: str) -> pa.Table:
    path = home / PUBLISHED / f"{table}.parquet"
    if not path.is_file():
        raise AnalysisError(
            "Nothing is published there.", where=str(path), do="make a demo first: make demo"
        )
    return pq.read_table(path)


def _cents(amounts: Column) -> npt.NDArray[np.int64]:
    cents: npt.NDArray[np.int64] = pc.cast(
        pc.multiply(amounts, pa.scalar(100)), pa.int64()
    ).to_numpy()
    return cents
