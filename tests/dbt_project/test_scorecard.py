"""The deployed scorecard: one score in SQL and in Python, and nothing in it that may not decide."""

from __future__ import annotations

import random
import re
import shutil
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.scorecard.binning import numbers
from analytics.scorecard.card import Card, write_seeds
from analytics.scorecard.mapping import Mapping
from extract.contract import read_all
from kehu.settings import CLONE, load
from tests.dbt_project.scratch_warehouse import PROJECT, ScratchWarehouse

CARD = CLONE / "analytics" / "models" / "bank_credit-1.json"
MAPPING = CLONE / "analytics" / "mappings" / "bank_credit.yaml"
MODELS = (
    "metrics/int_as_of_dates",
    "schemes/int_scorecard_versions",
    "schemes/int_scorecard_points",
    "credit/credit_scores",
)
ROWS = 400


@pytest.fixture(scope="module")
def card() -> Card:
    return Card.read(CARD)


def _values(card: Card, feature: str, kind: str) -> list[Any]:
    """Values on, just under and just over each bound; all categories, one unknown; missing."""
    bins = [attribute.bin for attribute in card.bins(feature)]
    categories = [name for each in bins for name in each.categories]
    if categories:
        return [*categories, "a category of tomorrow", None]
    cuts = [each.upper for each in bins if each.upper is not None]
    step = 1 if kind == "bigint" else 1e-4
    near = [cut + shift for cut in cuts for shift in (-step, 0.0, step)]
    return [*(round(value) if kind == "bigint" else value for value in near), 0, 1e9, None]


@pytest.fixture(scope="module")
def scored(
    card: Card, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, ScratchWarehouse]:
    """Made-up metrics and their scores in SQL, in the order of the customers."""
    warehouse = ScratchWarehouse.make(
        tmp_path_factory.mktemp("scorecard"),
        [],
        {
            "customer_metrics": "select * from made_up.customer_metrics",
            "int_credit_dates": "select as_of_date from {{ ref('int_as_of_dates') }}",
        },
    )
    for model in MODELS:
        shutil.copy(PROJECT / "models" / f"{model}.sql", warehouse.folder / "models")
    columns = warehouse.columns("customer_metrics")
    kinds = dict(columns)
    chance = random.Random(5)
    values = {name: _values(card, name, kinds[name]) for name in card.features}
    number = count()
    rows = [
        {
            "as_of_date": "2026-01-31",
            "customer_id": f"c{next(number):03}",
            "billed_12m": 1200,
            "open_amount": 0,
            **{name: chance.choice(some) for name, some in values.items()},
        }
        for _ in range(ROWS)
    ]
    for row in rows[::20]:  # of whom hardly anything is known
        row |= dict.fromkeys(card.features[2:])
    for row in rows:  # who has no debt has no score
        row["open_amount"] = 0 if row["open_amount"] is None else row["open_amount"]
    names = ", ".join(f"{name} {kind.replace('string', 'varchar')}" for name, kind in columns)
    cells = [
        ", ".join("null" if row.get(name) is None else repr(row[name]) for name, _ in columns)
        for row in rows
    ]
    warehouse.execute(
        "create schema made_up",
        f"create table made_up.customer_metrics ({names})",
        "insert into made_up.customer_metrics values " + ", ".join(f"({each})" for each in cells),
    )
    # the contract of the mart lies in its YAML, which is not here
    project = warehouse.folder / "dbt_project.yml"
    project.write_text(
        project.read_text(encoding="utf-8").replace("+contract: {enforced: true}", ""),
        encoding="utf-8",
    )
    warehouse.build("--exclude", "resource_type:test")
    listed = ", ".join(card.features)
    held = warehouse.query(f"select {listed} from made_up.customer_metrics order by customer_id")
    frame = pd.DataFrame(held, columns=card.features)
    for name in card.features:
        if kinds[name] != "string":
            frame[name] = frame[name].astype(float)
    return frame, warehouse


def test_seeds_are_those_of_the_card(card: Card, tmp_path: Path) -> None:
    for path in write_seeds(tmp_path, [(card, "1900-01-01")]):
        deployed = PROJECT / "seeds" / "credit" / path.name
        assert path.read_text(encoding="utf-8") == deployed.read_text(encoding="utf-8")


def test_score_and_reasons_are_the_same_in_sql_and_in_python(
    card: Card, scored: tuple[pd.DataFrame, ScratchWarehouse]
) -> None:
    rows, warehouse = scored
    found = warehouse.query(
        "select score, reason_codes, cast(probability_of_default as double)"
        f" from {_place(warehouse)} order by customer_id"
    )
    score = card.score(rows)
    assert [row[0] for row in found] == score.tolist()
    assert [row[1] for row in found] == [", ".join(reasons) for reasons in card.why(rows)]
    assert [row[2] for row in found] == pytest.approx(card.probability(score).tolist(), abs=1e-6)
    assert len(set(score.tolist())) > ROWS / 4


def test_thin_information_is_counted_and_reviewed(
    card: Card, scored: tuple[pd.DataFrame, ScratchWarehouse]
) -> None:
    rows, warehouse = scored
    missing = np.zeros(len(rows), dtype=int)
    for name in card.features:
        bins = [attribute.bin for attribute in card.bins(name)]
        missing += np.array([each.is_missing for each in bins])[numbers(bins, rows[name])]
    found = warehouse.query(
        "select missing_features, has_thin_information, needs_review"
        f" from {_place(warehouse)} order by customer_id"
    )
    assert [row[0] for row in found] == missing.tolist()
    thin = missing >= 0.5 * len(card.features)
    assert [row[1] for row in found] == thin.tolist()
    assert 0 < thin.sum() < len(rows)
    assert all(reviewed for _, is_thin, reviewed in found if is_thin)


def test_every_score_has_one_proposal_and_a_refusal_is_reviewed(
    scored: tuple[pd.DataFrame, ScratchWarehouse],
) -> None:
    _, warehouse = scored
    place = _place(warehouse)
    assert warehouse.query(f"select count(*), count(distinct customer_id) from {place}") == [
        (ROWS, ROWS)
    ]
    assert warehouse.query(
        f"select count(*) from {place} where proposed_decision <> 'grant' and not needs_review"
        " or proposed_limit < 0 or proposed_decision = 'decline' and proposed_limit <> 0"
    ) == [(0,)]


def test_nothing_that_must_not_decide_is_in_the_sample() -> None:
    """Features are metrics of customer_metrics, and no fact of a person is read for them."""
    warehouse = ScratchWarehouse(PROJECT)
    metrics = {name for name, _ in warehouse.columns("customer_metrics")}
    sample = {name for name, _ in warehouse.columns("scorecard_sample")} - {"is_default"}
    assert sample <= metrics
    mapping = Mapping.read(MAPPING)
    features = {each.name for each in mapping.features}
    assert features == sample - {"as_of_date", "customer_id"}
    assert not mapping.excluded
    assert set(Card.read(CARD).features) <= features


def test_no_metric_reads_a_personal_column() -> None:
    """Columns that contracts call personal, identifier or health never appear in a metric's SQL."""
    forbidden = {
        column.name
        for contract in read_all(load().contract_dirs)
        for column in contract.columns
        if column.classification in ("personal", "health")
    }
    assert {"sex", "birth_date"} <= forbidden
    found = {
        (path.name, word)
        for path in sorted((PROJECT / "models" / "metrics").rglob("*.sql"))
        for word in set(re.findall(r"[a-z_]+", path.read_text(encoding="utf-8"))) & forbidden
    }
    assert not found


def _place(warehouse: ScratchWarehouse) -> str:
    [(schema,)] = warehouse.query(
        "select table_schema from information_schema.tables where table_name = 'credit_scores'"
    )
    return f"{schema}.credit_scores"
