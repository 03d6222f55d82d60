"""Churn: reasons that add up, quality on the unseen, silence where nothing can be told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from analytics.arrow import numbers_by_name
from analytics.checks.value import MAPPINGS
from analytics.churn import command, model, step, trials
from kehu.settings import CLONE

TELCO = Path(__file__).parent.parent / "data" / "telco_churn" / "Telco-Customer-Churn.csv.gz"
DAY = date(2026, 1, 31)
SETTINGS = pa.csv.read_csv(CLONE / "dbt_project/seeds/statistics/model_settings.csv")


@pytest.fixture(scope="module")
def subscribers() -> pa.Table:
    return command.customers(TELCO, MAPPINGS / "telco_churn.yaml")


def _both(rows: pa.Table) -> pa.Table:
    """The rows to learn from, and the same to be told about."""
    place = rows.column_names.index("is_training")
    scored = rows.set_column(place, "is_training", pa.repeat(False, len(rows)))
    return pa.concat_tables([rows, scored])


def test_it_tells_on_customers_it_never_saw(subscribers: pa.Table) -> None:
    left = command.outcome(subscribers, TELCO)
    measured = trials.run(step.features(subscribers), left, [1, 2, 3])
    assert measured.mean("auc") > 0.78 > measured.mean_baseline("auc")
    assert measured.mean("brier") < measured.mean_baseline("brier")
    assert measured.calibration["customers"].sum() == 3 * -(-len(left) // 4)
    again = trials.run(step.features(subscribers), left, [1, 2, 3])
    assert again.figures == measured.figures


def test_reasons_add_up_to_the_probability(subscribers: pa.Table) -> None:
    of, left = step.features(subscribers), command.outcome(subscribers, TELCO)
    fitted = model.fit(of, left)
    added = fitted.contributions(of)
    odds = np.log(fitted.probability(of) / (1 - fitted.probability(of)))
    assert added.shape == (len(of), 19)
    assert np.allclose(fitted.base + added.sum(axis=1), odds)
    assert np.allclose(added.mean(axis=0), 0, atol=1e-9)
    assert fitted.probability(of).mean() == pytest.approx(left.mean(), abs=1e-4)


def test_the_step_publishes_risks_with_reasons(subscribers: pa.Table) -> None:
    nobody = pa.table({"customer_id": pa.array([], "string"), "is_training": pa.array([], "bool"),
                       "has_left": pa.array([], "bool")})  # fmt: skip
    rows = _both(subscribers)
    made = step.step([DAY], nobody, rows, SETTINGS)
    shuffled = rows.take(pa.array(np.random.default_rng(4).permutation(len(rows))))
    again = step.step([DAY], nobody, shuffled, SETTINGS)
    assert all(made[name].equals(again[name]) for name in made)
    risks = made["churn_risk"].to_pandas()
    assert set(risks["population"]) == {"contract"}
    assert len(risks) == len(subscribers)
    top = risks[risks["risk_decile"] == 10]
    assert (
        top["churn_probability"].min()
        >= risks[risks["risk_decile"] < 10]["churn_probability"].max()
    )
    contributions = made["churn_contributions"].to_pandas()
    assert (contributions.groupby("customer_id")["reason_rank"].max() == 5).all()
    raising = contributions[contributions["contribution"] > 0].sort_values(
        ["customer_id", "contribution"], ascending=[True, False]
    )
    first = raising.groupby("customer_id")["feature"].first()
    told = risks.set_index("customer_id")["reason_1"].loc[first.index]
    assert (first == told).all()
    quality = made["churn_quality"].to_pandas()
    assert set(quality[quality["model"] == "churn_risk_purchases"]["note"]) == {
        "not published: 0 of 0 left: fewer than 30 on one side"
    }


def test_chance_is_not_published(subscribers: pa.Table) -> None:
    drawn = np.random.default_rng(9).random(len(subscribers)) < 0.3
    place = subscribers.column_names.index("has_left")
    rows = _both(subscribers.set_column(place, "has_left", pa.array(drawn)))
    quality, risks, contributions = step.judge(DAY, "contract", rows, command.FEWEST)
    assert not quality.is_published
    assert quality.note == "not published: it does not beat its baseline"
    assert risks.num_rows == contributions.num_rows == 0


def test_an_unseen_category_and_a_missing_number_are_told(subscribers: pa.Table) -> None:
    of, left = step.features(subscribers), command.outcome(subscribers, TELCO)
    fitted = model.fit(of, left)
    strange = of.rows(np.arange(3))
    frame = strange.frame.assign(Contract="ten years", tenure=np.nan)
    found = fitted.probability(model.Features(frame, of.numbers, of.categories))
    assert np.isfinite(found).all()


def test_the_command_asks_for_as_many_as_the_warehouse() -> None:
    assert numbers_by_name(SETTINGS)["churn_fewest_customers"] == command.FEWEST
