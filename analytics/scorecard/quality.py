"""How good a scorecard is on rows it did not see.

In: outcomes (1 = bad), scores, probabilities. Out: `Quality`, calibration rows, stability. Touches
nothing.

AUC and Gini = 2 AUC - 1 (ranking), KS = largest distance between the two distributions of scores,
Brier score and calibration by groups (probabilities), PSI = sum of (share now - share then) x
ln(share now / share then) over bands of the score; above 0.25 the population has shifted
(Siddiqi 2006, chapter 8).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.scorecard.binning import Values
from analytics.scorecard.mapping import Mapping
from analytics.scorecard.training import train


@dataclass(frozen=True)
class Quality:
    """Measures on unseen rows; `brier_base` is the Brier score of the share of bad for everyone."""

    rows: int
    bad: int
    auc: float
    gini: float
    ks: float
    brier: float
    brier_base: float


@dataclass(frozen=True)
class Unseen:
    """Each row's score and probability by a card that was trained without it (first repeat)."""

    score: Values
    probability: Values
    auc_per_fold: list[float]


def cross_validated(rows: pd.DataFrame, bad: Values, mapping: Mapping) -> Unseen:
    """Repeated stratified folds: bins, features and coefficients are found anew in each.

    AUC is told of every fold of every repeat. Needs as many bad and good as folds.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import RepeatedStratifiedKFold

    folds = RepeatedStratifiedKFold(
        n_splits=mapping.folds, n_repeats=mapping.repeats, random_state=mapping.seed
    )
    score, probability = np.zeros(len(rows)), np.zeros(len(rows))
    aucs = []
    for at, (seen, unseen) in enumerate(folds.split(np.zeros(len(rows)), bad)):
        card = train(rows.iloc[seen], bad[seen], mapping).card
        found = card.score(rows.iloc[unseen])
        if at < mapping.folds:
            score[unseen], probability[unseen] = found, card.probability(found)
        aucs.append(float(roc_auc_score(bad[unseen], -found)))
    return Unseen(score, probability, aucs)


def measure(bad: Values, score: Values, probability: Values) -> Quality:
    """Ranking by the score (high is good) and fit of the probabilities."""
    from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve

    auc = float(roc_auc_score(bad, -score))
    false_alarms, hits, _ = roc_curve(bad, -score)
    share = np.full(len(bad), bad.mean())
    return Quality(
        rows=len(bad),
        bad=int(bad.sum()),
        auc=auc,
        gini=2 * auc - 1,
        ks=float(np.max(hits - false_alarms)),
        brier=float(brier_score_loss(bad, probability)),
        brier_base=float(brier_score_loss(bad, share)),
    )


def rows_of(
    bad: Values, unseen: Unseen, days: Sequence[object] | None = None
) -> Iterator[tuple[str, int, str, float]]:
    """All of it as rows: kind (measure, calibration, roc, and stability with a row per month where
    the rows have days), position, name, value."""
    measures = dataclasses.asdict(measure(bad, unseen.score, unseen.probability))
    measures = {"auc_mean_of_folds": float(np.mean(unseen.auc_per_fold))} | measures
    for at, (name, value) in enumerate(measures.items(), start=1):
        yield "measure", at, name, float(value)
    tables = {
        "calibration": calibration(bad, unseen.probability),
        "roc": roc(bad, unseen.score),
    }
    for kind, table in tables.items():
        for at, row in enumerate(table.to_dict("records"), start=1):
            yield from ((kind, at, str(name), float(value)) for name, value in row.items())
    if days is not None:
        for at, month in enumerate(stability_by_month(days, unseen.score).itertuples(), start=1):
            yield "stability", at, f"PSI of {month.month}", float(month.psi)  # type: ignore[arg-type]
            yield "stability", at, f"rows of {month.month}", float(month.rows)  # type: ignore[arg-type]


def roc(bad: Values, score: Values, points: int = 21) -> pd.DataFrame:
    """The curve, thinned: share of good refused and share of bad refused (0 to 1)."""
    from sklearn.metrics import roc_curve

    false_alarms, hits, _ = roc_curve(bad, -score)
    at = np.linspace(0, 1, points)
    return pd.DataFrame({"good_refused": at, "bad_refused": np.interp(at, false_alarms, hits)})


def calibration(bad: Values, probability: Values, groups: int = 10) -> pd.DataFrame:
    """Groups of equal size by probability: rows, expected and observed share of bad."""
    order = np.argsort(probability, kind="stable")
    rows = [
        {
            "rows": len(part),
            "expected": float(probability[part].mean()),
            "observed": float(bad[part].mean()),
        }
        for part in np.array_split(order, groups)
        if len(part)
    ]
    return pd.DataFrame(rows)


def stability(then: Values, now: Values, groups: int = 10) -> float:
    """Population stability index between two sets of scores, over bands of the first."""
    cuts = np.unique(np.quantile(then, np.linspace(0, 1, groups + 1)[1:-1]))
    counts = [
        np.bincount(np.searchsorted(cuts, each, side="right"), minlength=len(cuts) + 1)
        for each in (then, now)
    ]
    # half a case in each band, so that an empty one does not make the index endless
    shares = [(each + 0.5) / (each.sum() + 0.5 * len(each)) for each in counts]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def stability_by_month(days: Sequence[object], score: Values) -> pd.DataFrame:
    """PSI of each month's scores against the first month: month, rows, psi."""
    months = pd.to_datetime(pd.Series(list(days))).dt.to_period("M").astype(str).to_numpy()
    first = score[months == min(months)]
    return pd.DataFrame(
        [
            {
                "month": month,
                "rows": int((months == month).sum()),
                "psi": stability(first, score[months == month]),
            }
            for month in sorted(set(months))
        ]
    )
