"""Probability that a customer leaves, and what each of its features adds to it.

In: features per customer, and who left. Out: a fitted model, probabilities, contributions. Touches
nothing.

A logistic regression on smooth curves (splines) of numbers and on categories: its probabilities
are calibrated by construction, and its logarithm of odds is a sum over features, so that the
reasons are exact and not an approximation of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from analytics.maximum_likelihood import Floats

MISSING = "(missing)"
STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
FOLDS = 4
CHOSEN_ON = 10_000
"""Customers on whom the strength is chosen, at most."""

CHUNK = 100_000
"""Customers whose curves are held in memory at one time."""


@dataclass(frozen=True)
class Features:
    """Rows of customers: numbers (missing allowed) and categories by name."""

    frame: pd.DataFrame
    numbers: Sequence[str]
    categories: Sequence[str]

    @property
    def names(self) -> list[str]:
        return [*self.numbers, *self.categories]

    def rows(self, places: NDArray[np.int64]) -> Features:
        return Features(self.frame.iloc[places], self.numbers, self.categories)

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True)
class Model:
    """A fitted model."""

    shape: ColumnTransformer
    weights: Floats
    intercept: float
    average: Floats
    """Mean of each transformed column over the customers of the fit."""
    owner: NDArray[np.int64]
    """Feature that each transformed column belongs to."""
    names: list[str]

    def contributions(self, of: Features) -> Floats:
        """Customers x features: what each adds to the log-odds against the average customer."""
        found = np.empty((len(of), len(self.names)))
        for begin in range(0, len(of), CHUNK):
            part = of.frame.iloc[begin : begin + CHUNK]
            added = (_dense(self.shape.transform(part)) - self.average) * self.weights
            for place in range(len(self.names)):
                found[begin : begin + CHUNK, place] = added[:, self.owner == place].sum(axis=1)
        return found

    @property
    def base(self) -> float:
        """Log-odds of the average customer."""
        return self.intercept + float(np.sum(self.average * self.weights))

    def probability(self, of: Features) -> Floats:
        """Per customer."""
        return probability(self.base, self.contributions(of))


def probability(base: float, contributions: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-(base + contributions.sum(axis=1))))
    return found


def fit(of: Features, left: NDArray[np.bool_]) -> Model:
    """Raises `ValueError` when everybody left, or nobody."""
    if not left.any() or left.all():
        raise ValueError("everybody left, or nobody: there is nothing to tell apart")
    numbers = [name for name in of.numbers if of.frame[name].nunique() > 1]
    curves = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=False),
        SplineTransformer(n_knots=5, degree=2, knots="quantile", extrapolation="constant"),
        StandardScaler(),
    )
    # What a rare category says is chance; one that was never seen says nothing.
    kinds = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=20, sparse_output=False
    )
    shape = ColumnTransformer(
        [*((f"n{i}", curves, [name]) for i, name in enumerate(numbers)),
         *((f"c{i}", kinds, [name]) for i, name in enumerate(of.categories))]
    )  # fmt: skip
    frame = of.frame
    transformed = _dense(shape.fit_transform(frame))
    widths = [
        len(part.get_feature_names_out())
        for name, part, _ in shape.transformers_
        if name != "remainder"
    ]
    names = [*numbers, *of.categories]
    with threadpool_limits(limits=1):  # the order of adding depends on the number of threads
        regression = _regression(_strength(transformed, left)).fit(transformed, left)
    return Model(
        shape=shape,
        weights=regression.coef_[0],
        intercept=float(regression.intercept_[0]),
        average=transformed.mean(axis=0),
        owner=np.repeat(np.arange(len(names)), widths),
        names=names,
    )


def _regression(strength: float) -> Any:
    return LogisticRegression(C=strength, solver="newton-cholesky")


def _strength(transformed: Floats, left: NDArray[np.bool_]) -> float:
    """How much the features may say: what tells best on parts that were left out in turn.

    With few customers, or features that tell little, less is more.
    """
    size = min(len(left), CHOSEN_ON)
    drawn = np.random.default_rng(0).permutation(len(left))[:size]
    points, truth = transformed[drawn], left[drawn]
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(points, truth))
    losses = {}
    for strength in STRENGTHS:
        told = np.empty(size)
        for known, unseen in folds:
            fitted = _regression(strength).fit(points[known], truth[known])
            told[unseen] = fitted.predict_proba(points[unseen])[:, 1]
        losses[strength] = round(float(log_loss(truth, told)), 9)
    return min(STRENGTHS, key=lambda strength: (losses[strength], strength))


def _dense(found: Any) -> Floats:
    return np.asarray(found, dtype=np.float64)
