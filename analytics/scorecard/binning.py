"""Optimal bins of a feature, with weight of evidence and information value.

In: a column and an outcome (1 = bad). Out: `Bin` rows. Touches nothing.

Weight of evidence of a bin is ln(share of all good / share of all bad) in it; information value is
the sum of (share of good - share of bad) x weight of evidence (Siddiqi, Credit Risk Scorecards,
2006). Bins are found by optbinning (Navas-Palencia, Optimal binning, 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.scorecard.mapping import Feature

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """One bin: numeric ones hold lower <= value < upper, others the listed categories.

    `missing` holds what has no value, and a category that training did not see.
    """

    feature: str
    number: int
    lower: float | None
    upper: float | None
    categories: tuple[str, ...]
    is_missing: bool
    good: int
    bad: int
    woe: float
    iv: float


def fit(feature: Feature, column: pd.Series, bad: Values) -> list[Bin]:
    """Bins of one feature; the last one is for missing values. Needs both outcomes."""
    from optbinning import OptimalBinning

    known = column.notna().to_numpy()
    is_numeric = feature.kind == "numeric"
    values = column[known].to_numpy(dtype=float if is_numeric else str)
    optimal = OptimalBinning(
        name=feature.name,
        dtype="numerical" if is_numeric else "categorical",
        monotonic_trend=None if feature.trend == "none" or not is_numeric else feature.trend,
        max_n_bins=feature.max_bins,
        min_bin_size=feature.min_bin_share,
        min_prebin_size=feature.min_bin_share,
    )
    # Two values or fewer leave nothing to search for, and the search refuses a single outcome.
    searched = len(np.unique(values)) > 1 and 0 < bad[known].sum() < known.sum()
    if searched:
        optimal.fit(values.astype(object) if not is_numeric else values, bad[known])
    if is_numeric:
        cuts = [float(each) for each in optimal.splits] if searched else []
        edges = [None, *cuts, None]
        parts: list[tuple[float | None, float | None, tuple[str, ...]]] = [
            (lower, upper, ()) for lower, upper in pairwise(edges)
        ]
    elif searched:
        parts = [(None, None, tuple(sorted(map(str, group)))) for group in optimal.splits]
    else:
        parts = [(None, None, tuple(sorted(set(map(str, values)))))]
    return _weighed(feature, parts, column, bad)


def numbers(bins: Sequence[Bin], column: pd.Series) -> npt.NDArray[np.int64]:
    """For each value the number of its bin; bins stand in order, the missing one last."""
    *others, missing = bins
    if any(each.categories for each in others):
        known = {name: each.number for each in others for name in each.categories}
        found = column.astype("string").map(known).fillna(missing.number)
        return np.asarray(found.to_numpy(), dtype=np.int64)
    values = pd.to_numeric(column, errors="raise").to_numpy(dtype=float, na_value=np.nan)
    cuts = np.array([each.upper for each in others if each.upper is not None], dtype=float)
    place = np.searchsorted(cuts, values, side="right").astype(np.int64)
    place[np.isnan(values)] = missing.number
    return place


def raw_information_value(column: pd.Series, bad: Values) -> float:
    """Information value when every value of a column is a bin of its own."""
    counts = pd.crosstab(column.astype("string").fillna("(missing)"), bad)
    shares = counts / counts.sum()
    both = shares[(shares[0] > 0) & (shares[1] > 0)]
    return float(((both[0] - both[1]) * np.log(both[0] / both[1])).sum())


def _weighed(
    feature: Feature,
    parts: Sequence[tuple[float | None, float | None, tuple[str, ...]]],
    column: pd.Series,
    bad: Values,
) -> list[Bin]:
    """Counts, weights and values of the bins; an empty one weighs nothing."""
    shapes = [*parts, (None, None, ())]
    bare = [
        Bin(feature.name, at, *shape, at == len(parts), 0, 0, 0.0, 0.0)
        for at, shape in enumerate(shapes)
    ]
    place = numbers(bare, column)
    all_bad = bad.sum()
    all_good = len(bad) - all_bad
    bins = []
    for each in bare:
        here = bad[place == each.number]
        bad_here = int(here.sum())
        good_here = len(here) - bad_here
        woe = iv = 0.0
        if len(here):
            # half a case more on either side where one side is empty, so that the ratio exists
            shift = 0.0 if good_here and bad_here else 0.5
            good_share = (good_here + shift) / all_good
            bad_share = (bad_here + shift) / all_bad
            woe = float(np.log(good_share / bad_share))
            iv = float((good_share - bad_share) * woe)
        bins.append(replace(each, good=good_here, bad=bad_here, woe=woe, iv=iv))
    return bins
