"""Train a credit scorecard, measure it on unseen rows, deploy it as rows of seeds, score a table.

  python -m analytics scorecard train   --records FILE --mapping YAML --to CARD.json
  python -m analytics scorecard quality --records FILE --mapping YAML
  python -m analytics scorecard seeds   --card CARD.json [--card …] --valid-from DAY --to FOLDER
  python -m analytics scorecard score   --records FILE --card CARD.json --to FILE.csv

The mapping says which column is the outcome and which are features; docs/scorecard.md has its form.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from analytics import records
from analytics.scorecard import card as cards
from analytics.scorecard import quality
from analytics.scorecard.binning import raw_information_value
from analytics.scorecard.card import Card
from analytics.scorecard.mapping import Mapping
from analytics.scorecard.training import Trained, outcome, train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the four actions."""
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    for name, text in (
        ("train", "fit a scorecard on all rows, measure it on unseen ones, write its file"),
        ("quality", "repeated cross-validation: AUC, KS, Gini, calibration, PSI by month"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--records", type=Path, required=True, help="CSV or Parquet")
        action.add_argument("--mapping", type=Path, required=True, help="YAML: docs/scorecard.md")
        if name == "train":
            action.add_argument("--to", type=Path, required=True, help="file of the scorecard")
            action.add_argument("--version", type=int, default=1, help="default: 1")
    text = "write the seeds scorecards, scorecard_bins and scorecard_figures, which SQL reads"
    action = actions.add_parser("seeds", help=text, description=text)
    action.add_argument("--card", type=Path, action="append", required=True)
    action.add_argument("--valid-from", required=True, help="yyyy-mm-dd, of every card given")
    action.add_argument("--to", type=Path, required=True, help="folder of the seeds")
    text = "score every row of a table"
    action = actions.add_parser("score", help=text, description=text)
    action.add_argument("--records", type=Path, required=True, help="CSV or Parquet")
    action.add_argument("--card", type=Path, required=True)
    action.add_argument("--to", type=Path, required=True, help="CSV: score, probability, reasons")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    actions = {"train": _train, "quality": _quality, "seeds": _seeds, "score": _score}
    actions[arguments.action](arguments)
    return 0


def _train(arguments: argparse.Namespace) -> None:
    mapping = Mapping.read(arguments.mapping)
    rows = records.read(arguments.records)
    bad = outcome(rows, mapping, str(arguments.records))
    trained = train(rows, bad, mapping, arguments.version)
    noted = {
        "rows": str(len(rows)),
        "bad": str(int(bad.sum())),
        "data_sha256": records.sha256(arguments.records),
    }
    days = None if mapping.day is None else list(rows[mapping.day])
    measured = tuple(quality.rows_of(bad, quality.cross_validated(rows, bad, mapping), days))
    made = dataclasses.replace(trained.card, trained=tuple(noted.items()), quality=measured)
    made.write(arguments.to)
    _show_card(made, trained)
    Console().print(f"Scorecard {made.name} version {made.version}: {arguments.to}")


def _show_card(card: Card, trained: Trained) -> None:
    table = Table("feature", "bin", title=f"Base points {card.base_points}")
    for name in ("good", "bad", "weight of evidence", "points"):
        table.add_column(name, justify="right")
    for each in card.attributes:
        found = each.bin
        counts = (str(found.good), str(found.bad), f"{found.woe:.4f}", str(each.points))
        table.add_row(found.feature, _range(each), *counts)
    console = Console()
    console.print(table)
    for name, reason in trained.left_out.items():
        console.print(f"left out: {name}: {reason}", highlight=False)


def _range(attribute: cards.Attribute) -> str:
    found = attribute.bin
    if found.is_missing:
        return "missing or unknown"
    if found.categories:
        return ", ".join(found.categories)
    lower = "" if found.lower is None else f"{found.lower:g} <= "
    upper = "" if found.upper is None else f" < {found.upper:g}"
    return f"{lower}value{upper}"


def _quality(arguments: argparse.Namespace) -> None:
    mapping = Mapping.read(arguments.mapping)
    rows = records.read(arguments.records)
    bad = outcome(rows, mapping, str(arguments.records))
    console = Console()
    values = Table("feature", title="Information value, each raw value a bin of its own")
    values.add_column("information value", justify="right")
    for each in mapping.features:
        if each.kind == "category":
            values.add_row(each.name, f"{raw_information_value(rows[each.name], bad):.6f}")
    if values.row_count:
        console.print(values)
    unseen = quality.cross_validated(rows, bad, mapping)
    found = quality.measure(bad, unseen.score, unseen.probability)
    told = Table("measure", title=f"{mapping.folds} folds, on unseen rows")
    told.add_column("value", justify="right")
    told.add_row(f"AUC, mean of {mapping.repeats} times", f"{np.mean(unseen.auc_per_fold):.4f}")
    for name, value in dataclasses.asdict(found).items():
        told.add_row(name, str(value) if isinstance(value, int) else f"{value:.4f}")
    console.print(told)
    groups = Table("group", title="Calibration: share of bad")
    for name in ("rows", "expected", "observed"):
        groups.add_column(name, justify="right")
    for at, row in enumerate(quality.calibration(bad, unseen.probability).itertuples(), start=1):
        groups.add_row(str(at), str(row.rows), f"{row.expected:.4f}", f"{row.observed:.4f}")
    console.print(groups)
    if mapping.day is not None:
        months = Table("month", "rows", title="Stability against the first month")
        months.add_column("PSI", justify="right")
        for row in quality.stability_by_month(list(rows[mapping.day]), unseen.score).itertuples():
            months.add_row(str(row.month), str(row.rows), f"{row.psi:.4f}")
        console.print(months)


def _seeds(arguments: argparse.Namespace) -> None:
    given = [(Card.read(path), arguments.valid_from) for path in arguments.card]
    for path in cards.write_seeds(arguments.to, given):
        Console().print(str(path))


def _score(arguments: argparse.Namespace) -> None:
    card = Card.read(arguments.card)
    rows = records.read(arguments.records)
    scored = rows.assign(
        score=(score := card.score(rows)),
        probability_of_default=card.probability(score).round(6),
        reasons=[" ".join(each) for each in card.why(rows)],
    )
    scored[["score", "probability_of_default", "reasons"]].to_csv(arguments.to, index=True)
    Console().print(f"{len(rows)} rows scored: {arguments.to}")
