"""The scorecard on 1,000 public loans: figures of the literature, points that add up."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics import records
from analytics.__main__ import main
from analytics.scorecard import quality
from analytics.scorecard.binning import raw_information_value
from analytics.scorecard.card import Card, write_seeds
from analytics.scorecard.mapping import Mapping
from analytics.scorecard.training import Trained, outcome, train
from kehu.errors import SettingsError, ValidationError
from kehu.settings import CLONE

LOANS = CLONE / "tests" / "data" / "german_credit" / "germancredit.csv.gz"
MAPPING = CLONE / "analytics" / "mappings" / "german_credit.yaml"


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return Mapping.read(MAPPING)


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    return records.read(LOANS)


@pytest.fixture(scope="module")
def bad(loans: pd.DataFrame, mapping: Mapping) -> np.ndarray:
    return outcome(loans, mapping, str(LOANS))


@pytest.fixture(scope="module")
def trained(loans: pd.DataFrame, bad: np.ndarray, mapping: Mapping) -> Trained:
    return train(loans, bad, mapping)


def test_information_values_are_the_published_ones(loans: pd.DataFrame, bad: np.ndarray) -> None:
    published = {
        "status_of_existing_checking_account": 0.666012,
        "credit_history": 0.293234,
        "savings_account_and_bonds": 0.196010,
        "purpose": 0.169195,
    }
    found = {name: round(raw_information_value(loans[name], bad), 6) for name in published}
    assert found == published


def test_unseen_loans_are_ranked(loans: pd.DataFrame, bad: np.ndarray, mapping: Mapping) -> None:
    unseen = quality.cross_validated(loans, bad, dataclasses.replace(mapping, repeats=1))
    found = quality.measure(bad, unseen.score, unseen.probability)
    assert np.mean(unseen.auc_per_fold) >= 0.776
    assert found.brier < found.brier_base
    assert found.gini == pytest.approx(2 * found.auc - 1)
    table = quality.calibration(bad, unseen.probability)
    assert table["rows"].sum() == len(bad)
    assert (table["expected"] - table["observed"]).abs().mean() < 0.06


def test_every_row_lies_in_one_bin_and_trends_hold(trained: Trained, bad: np.ndarray) -> None:
    for name, bins in trained.bins.items():
        assert sum(each.good + each.bad for each in bins) == len(bad), name
        assert sum(each.bad for each in bins) == bad.sum(), name
    shares = [b.bad / (b.good + b.bad) for b in trained.bins["duration_in_month"][:-1]]
    assert shares == sorted(shares)
    assert len(shares) > 2


def test_protected_columns_decide_nothing(
    trained: Trained, loans: pd.DataFrame, mapping: Mapping
) -> None:
    protected = {"personal_status_and_sex", "age_in_years", "foreign_worker"}
    assert protected <= {each.name for each in mapping.excluded}
    assert not protected & set(trained.card.features)
    turned = loans.assign(personal_status_and_sex="x", age_in_years=99, foreign_worker="x")
    assert (trained.card.score(turned) == trained.card.score(loans)).all()


@pytest.mark.parametrize("told", [{"classification": "health"}, {"protected": True}])
def test_a_forbidden_feature_alone_is_no_scorecard(told: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no feature that may be used"):
        Mapping.of({"name": "n", "outcome": "o", "bad": "b", "features": [{"name": "f"} | told]})


def test_points_are_what_the_odds_say(trained: Trained, loans: pd.DataFrame) -> None:
    """A score is the odds of the regression on the scale, but for the rounding of each part."""
    card = trained.card
    assert card.factor * math.log(2) == pytest.approx(50)
    assert card.probability(600) == pytest.approx(1 / 21)
    assert card.probability(650) == pytest.approx(1 / 41)
    total = card.base_points + card.points(loans).sum(axis=1)
    exact = card.probability(card.score(loans)).mean()
    assert exact == pytest.approx(0.3, abs=0.01)
    assert total.between(card.lowest, card.highest).mean() > 0.9


def test_reasons_are_the_largest_losses(trained: Trained, loans: pd.DataFrame) -> None:
    card = trained.card
    points = card.points(loans)
    lost = pd.DataFrame(
        {name: max(a.points for a in card.bins(name)) - points[name] for name in card.features}
    )
    for row, reasons in enumerate(card.why(loans.head(50))):
        amounts = lost.iloc[row]
        assert [amounts[name] for name in reasons] == sorted(
            [each for each in amounts if each > 0], reverse=True
        )[: card.reasons]


def test_file_and_score_are_the_same_again(
    trained: Trained, loans: pd.DataFrame, tmp_path: Path
) -> None:
    trained.card.write(tmp_path / "card.json")
    read = Card.read(tmp_path / "card.json")
    assert read == trained.card
    assert (read.score(loans) == trained.card.score(loans)).all()


def test_missing_and_unknown_values_have_points(trained: Trained, loans: pd.DataFrame) -> None:
    row = loans.head(1).assign(purpose="a purpose of tomorrow", duration_in_month=np.nan)
    points = trained.card.points(row).iloc[0]
    for name in ("purpose", "duration_in_month"):
        assert points[name] == trained.card.bins(name)[-1].points
        assert trained.card.bins(name)[-1].bin.is_missing


def test_seeds_have_a_row_per_category(trained: Trained, tmp_path: Path) -> None:
    heads, bins, _ = write_seeds(tmp_path, [(trained.card, "2026-01-31")])
    assert pd.read_csv(heads)["base_points"].tolist() == [trained.card.base_points]
    rows = pd.read_csv(bins, keep_default_na=False)
    purposes = rows[rows["feature"] == "purpose"]
    assert set(purposes["category"]) >= {"car (new)", "education", ""}
    assert rows["points"].dtype == np.int64


def test_stability_notices_a_shift() -> None:
    then = np.arange(1000.0)
    assert quality.stability(then, then) == pytest.approx(0)
    assert quality.stability(then, then + 400) > 0.25


def test_training_keeps_the_stability_of_each_month(loans: pd.DataFrame, tmp_path: Path) -> None:
    """The second month has long loans only: another population."""
    mapping, records_, card = (tmp_path / name for name in ("map.yaml", "loans.csv", "card.json"))
    text = MAPPING.read_text(encoding="utf-8")
    mapping.write_text(f"{text}\nday: granted\nfolds: 3\nrepeats: 1\n", encoding="utf-8")
    long = loans["duration_in_month"] > 24
    granted = np.where(long, "2025-02-10", "2025-01-10")
    loans.assign(granted=granted).to_csv(records_, index=False)
    given = ["--records", str(records_), "--mapping", str(mapping), "--to", str(card)]
    assert main(["scorecard", "train", *given]) == 0
    told = {name: value for kind, _, name, value in Card.read(card).quality if kind == "stability"}
    assert told["rows of 2025-02"] == long.sum()
    assert told["PSI of 2025-01"] == 0
    assert told["PSI of 2025-02"] > 0.25


def test_one_class_only_is_refused(loans: pd.DataFrame, mapping: Mapping) -> None:
    with pytest.raises(ValidationError, match="All 700 outcomes are good"):
        outcome(loans[loans["creditability"] == "good"], mapping, "loans.csv")


def test_lacking_columns_are_named(loans: pd.DataFrame, mapping: Mapping) -> None:
    with pytest.raises(ValidationError, match="lacks the columns purpose"):
        outcome(loans.drop(columns="purpose"), mapping, "loans.csv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("name: n", "lacks outcome, bad"),
        ("name: n\noutcome: o\nbad: b\nfeature: []", "unknown keys feature"),
        ("name: n\noutcome: o\nbad: b\nfeatures: [{name: f, kind: text}]", "f: kind must be"),
    ],
)
def test_wrong_mappings_are_explained(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=told):
        Mapping.read(path)


def test_commands_work_on_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card, scored = tmp_path / "card.json", tmp_path / "scored.csv"
    given = ["--records", str(LOANS)]
    assert main(["scorecard", "train", *given, "--mapping", str(MAPPING), "--to", str(card)]) == 0
    assert "left out: age_in_years" in capsys.readouterr().out
    assert main(["scorecard", "score", *given, "--card", str(card), "--to", str(scored)]) == 0
    assert len(pd.read_csv(scored)) == 1000
    assert dict(Card.read(card).trained)["rows"] == "1000"
    assert main(["scorecard", "score", *given, "--card", str(MAPPING), "--to", str(scored)]) == 2
    assert "The file is no scorecard" in capsys.readouterr().err
