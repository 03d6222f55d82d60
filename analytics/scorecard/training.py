"""From debtors with a known outcome to a scorecard: bins, logistic regression, whole points.

In: rows, a mapping. Out: a `Card` and what was left out with the reason. Touches nothing.

A feature is left out when it tells too little (information value), or when its coefficient would
turn its weights of evidence round: points would then contradict the bins that explain them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.scorecard.binning import Bin, Values, fit, numbers
from analytics.scorecard.card import Attribute, Card, scaled
from analytics.scorecard.mapping import Mapping
from kehu.errors import ValidationError


@dataclass(frozen=True)
class Trained:
    """A card, the features that are not in it with the reason, and all bins that were found."""

    card: Card
    left_out: dict[str, str]
    bins: dict[str, list[Bin]]


def outcome(rows: pd.DataFrame, mapping: Mapping, where: str) -> Values:
    """1 where the outcome is bad, else 0.

    Raises `ValidationError` when the column, a feature, or one of the two outcomes is missing.
    """
    wanted = [mapping.outcome, *(each.name for each in mapping.features)]
    if lacking := [name for name in wanted if name not in rows.columns]:
        raise ValidationError(
            f"The table lacks the columns {', '.join(lacking)}.",
            where=where,
            do=f"correct the mapping of {mapping.name}, or give a table that has them",
        )
    if unknown := int(rows[mapping.outcome].isna().sum()):
        raise ValidationError(
            f"{unknown} of {len(rows)} rows have no outcome.",
            where=f"{where}, column {mapping.outcome}",
            do="leave out the rows whose outcome is not known yet",
        )
    told = rows[mapping.outcome].astype("string").str.lower().to_numpy()
    bad: Values = (told == mapping.bad.lower()).astype(np.float64)
    if bad.sum() in (0, len(bad)):
        only = "good" if bad.sum() == 0 else "bad"
        raise ValidationError(
            f"All {len(bad)} outcomes are {only}: a scorecard needs both classes.",
            where=f"{where}, column {mapping.outcome}, bad = {mapping.bad!r}",
            do="check the value that means bad, or take a longer period",
        )
    return bad


def train(rows: pd.DataFrame, bad: Values, mapping: Mapping, version: int = 1) -> Trained:
    """Fit the card on all rows. Raises `ValidationError` when no feature is left."""
    bins = {each.name: fit(each, rows[each.name], bad) for each in mapping.features}
    left_out = {each.name: "must not be used: its class or protection" for each in mapping.excluded}
    kept = []
    for name, found in bins.items():
        told = sum(each.iv for each in found)
        if told < mapping.min_information_value:
            left_out[name] = f"information value {told:.4f} under {mapping.min_information_value}"
        else:
            kept.append(name)
    weights = {name: weigh(rows, name, bins[name]) for name in kept}
    intercept = 0.0
    coefficients: dict[str, float] = {}
    while kept:
        intercept, coefficients = _logistic(weights, kept, bad, mapping)
        turned = {name: value for name, value in coefficients.items() if value > 0}
        if not turned:
            break
        worst = max(turned, key=lambda name: turned[name])
        left_out[worst] = "its coefficient would contradict its bins: others say it already"
        kept.remove(worst)
    if not kept:
        raise ValidationError(
            "No feature tells good from bad.",
            where=f"mapping {mapping.name}",
            do="give features with an information value, or lower min_information_value",
        )
    return Trained(_card(mapping, version, intercept, coefficients, bins), left_out, bins)


def weigh(rows: pd.DataFrame, name: str, bins: Sequence[Bin]) -> Values:
    """Weight of evidence of each row's bin."""
    table = np.array([each.woe for each in bins])
    return np.asarray(table[numbers(bins, rows[name])])


def _logistic(
    weights: dict[str, Values], names: Sequence[str], bad: Values, mapping: Mapping
) -> tuple[float, dict[str, float]]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=mapping.penalty, solver="lbfgs", max_iter=1000, tol=1e-8)
    model.fit(np.column_stack([weights[name] for name in names]), bad)
    return float(model.intercept_[0]), dict(zip(names, map(float, model.coef_[0]), strict=True))


def _card(
    mapping: Mapping,
    version: int,
    intercept: float,
    coefficients: dict[str, float],
    bins: dict[str, list[Bin]],
) -> Card:
    offset, factor = scaled(mapping.base_score, mapping.base_odds, mapping.points_to_double)
    attributes = tuple(
        Attribute(each, round(-factor * coefficient * each.woe))
        for name, coefficient in coefficients.items()
        for each in bins[name]
    )
    return Card(
        name=mapping.name,
        version=version,
        base_points=round(offset - factor * intercept),
        offset=offset,
        factor=factor,
        lowest=mapping.lowest,
        highest=mapping.highest,
        reasons=mapping.reasons,
        attributes=attributes,
        coefficients=tuple(coefficients.items()),
    )
