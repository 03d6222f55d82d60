"""How well a churn model tells on customers that it never saw, beside the best single feature.

In: features and who left. Out: figures per seed, and the calibration. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit

from analytics.churn import model
from analytics.churn.model import Features
from analytics.maximum_likelihood import Floats
from analytics.quality import Figure

UNSEEN = 0.25
GROUPS = 10


@dataclass(frozen=True)
class Trials:
    """Figures of every trial, and predicted against seen over all of them."""

    figures: list[Figure]
    calibration: pd.DataFrame
    """One row per tenth of the predictions: customers, expected, seen (shares)."""

    def mean(self, metric: str) -> float:
        return float(np.mean([one.value for one in self.figures if one.metric == metric]))

    def mean_baseline(self, metric: str) -> float:
        return float(
            np.mean([one.baseline_value or 0.0 for one in self.figures if one.metric == metric])
        )


def run(of: Features, left: NDArray[np.bool_], seeds: Sequence[int]) -> Trials:
    """One trial per seed: fit on three stratified quarters, judge on the fourth."""
    figures, expected, seen = [], [], []
    for seed in seeds:
        split = StratifiedShuffleSplit(1, test_size=UNSEEN, random_state=seed)
        known, unseen = next(split.split(np.zeros(len(of)), left))
        judged, truth = of.rows(unseen), left[unseen]
        told = model.fit(of.rows(known), left[known]).probability(judged)
        feature, single = best_single_feature(of.rows(known), left[known], judged)
        share = float(left[known].mean())
        figures += [
            Figure(
                "auc", float(roc_auc_score(truth, told)), f"{feature} alone",
                float(roc_auc_score(truth, single)), decides=True, seed=seed,
            ),
            Figure(
                "brier", brier(told, truth), "everybody's share", brier(share, truth),
                more_is_better=False, decides=True, seed=seed,
            ),
            Figure("calibration_error", calibration_error(told, truth), seed=seed),
        ]  # fmt: skip
        expected.append(told)
        seen.append(truth)
    return Trials(figures, calibration(np.concatenate(expected), np.concatenate(seen)))


def brier(told: Floats | float, truth: NDArray[np.bool_]) -> float:
    """Mean squared distance of the probability from what happened."""
    return float(np.mean((told - truth) ** 2))


def calibration(told: Floats, truth: NDArray[np.bool_]) -> pd.DataFrame:
    """Tenths of equal size by prediction."""
    order = np.argsort(told, kind="stable")
    parts = [part for part in np.array_split(order, GROUPS) if len(part)]
    return pd.DataFrame(
        {
            "customers": [len(part) for part in parts],
            "expected": [float(told[part].mean()) for part in parts],
            "seen": [float(truth[part].mean()) for part in parts],
        }
    )


def calibration_error(told: Floats, truth: NDArray[np.bool_]) -> float:
    """Mean distance between expected and seen share over the tenths."""
    groups = calibration(told, truth)
    apart = (groups["expected"] - groups["seen"]).abs() * groups["customers"]
    return float(apart.sum() / groups["customers"].sum())


def best_single_feature(
    known: Features, left: NDArray[np.bool_], judged: Features
) -> tuple[str, Floats]:
    """The feature whose groups tell most on `known`, and the shares it gives to `judged`."""
    best, chosen, shares = -1.0, "", np.zeros(len(judged))
    for name in known.names:
        groups, unseen = _groups(name, known, judged)
        by_group = pd.Series(left).groupby(groups).mean()
        found = pd.Series(groups).map(by_group).to_numpy()
        tells = float(roc_auc_score(left, found))
        if tells > best:
            mapped = pd.Series(unseen).map(by_group).fillna(left.mean())
            best, chosen, shares = tells, name, mapped.to_numpy()
    return chosen, shares


def _groups(
    name: str, known: Features, judged: Features
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    one, other = known.frame[name], judged.frame[name]
    if name in known.categories:
        return one.astype(str).to_numpy(), other.astype(str).to_numpy()
    bounds = np.unique(np.nanquantile(one.to_numpy(), np.linspace(0, 1, GROUPS + 1)[1:-1]))
    return tuple(
        np.where(np.isnan(side), -1, np.searchsorted(bounds, side, side="right"))
        for side in (one.to_numpy(), other.to_numpy())
    )  # type: ignore[return-value]
