"""Churn risk between two layers of dbt, for customers with a contract and for buyers without one.

In: features at the as-of date, and the same at an earlier day from which it is known who left. Out:
probability and reasons per customer, quality per population. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analytics.arrow import Column, numbers_by_name, pc, schema_of, table_of
from analytics.churn import model, trials
from analytics.churn.model import Features
from analytics.maximum_likelihood import Floats
from analytics.quality import Quality, data_version

NOT_FEATURES = ("as_of_date", "customer_id", "is_training", "has_left")
SEEDS = (1, 2, 3)
ENOUGH = 200_000
"""Customers that a fit takes at most, drawn with a fixed seed."""

REASONS = 5
"""Contributions told per customer, largest first."""

RISKS = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("customer_id", pa.string()),
        ("population", pa.string()),
        ("churn_probability", pa.float64()),
        ("risk_decile", pa.int64()),
        ("reason_1", pa.string()),
        ("reason_2", pa.string()),
        ("reason_3", pa.string()),
    ]
)
CONTRIBUTIONS = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("customer_id", pa.string()),
        ("population", pa.string()),
        ("feature", pa.string()),
        ("reason_rank", pa.int64()),
        ("contribution", pa.float64()),
    ]
)


def step(
    as_of_dates: Sequence[date], purchases: pa.Table, contracts: pa.Table, settings: pa.Table
) -> Mapping[str, pa.Table]:
    """Reads `int_churn_purchases`, `int_churn_contracts` and `model_settings` of `statistics`."""
    as_of = max(as_of_dates)
    fewest = int(numbers_by_name(settings)["churn_fewest_customers"])
    risks, contributions, figures = [], [], []
    for population, rows in (("purchases", purchases), ("contract", contracts)):
        rows = rows.sort_by([("is_training", "ascending"), ("customer_id", "ascending")])
        quality, risk, contribution = judge(as_of, population, rows, fewest)
        figures.append(quality.rows(as_of))
        risks.append(risk)
        contributions.append(contribution)
    return {
        "churn_risk": pa.concat_tables(risks),
        "churn_contributions": pa.concat_tables(contributions),
        "churn_quality": pa.concat_tables(figures),
    }


def judge(
    as_of: date, population: str, rows: pa.Table, fewest: int
) -> tuple[Quality, pa.Table, pa.Table]:
    """Quality, risks and contributions of one population; nothing where it does not hold up, or
    where fewer than `fewest` left, or stayed."""
    version = data_version(rows)
    name = f"churn_risk_{population}"
    known = rows.filter(rows["is_training"])
    left = known["has_left"].to_numpy(zero_copy_only=False).astype(bool)
    nothing = RISKS.empty_table(), CONTRIBUTIONS.empty_table()
    if min(int(left.sum()), int((~left).sum())) < fewest:
        fault = f"{int(left.sum())} of {len(left)} left: fewer than {fewest} on one side"
        return Quality(name, version, fault=fault), *nothing
    taken = _drawn(len(left))
    of, left = features(known).rows(taken), left[taken]
    quality = Quality(name, version, trials.run(of, left, SEEDS).figures)
    scored = rows.filter(pc.invert(rows["is_training"]))
    if not quality.is_published or not scored.num_rows:
        return quality, *nothing
    fitted = model.fit(of, left)
    added = fitted.contributions(features(scored))
    told = model.probability(fitted.base, added)
    return (
        quality,
        _risks(as_of, population, scored["customer_id"], told, added, fitted.names),
        _contributions(as_of, population, scored["customer_id"], added, fitted.names),
    )


def features(rows: pa.Table) -> Features:
    """Columns that are not keys: text is a category, everything else a number."""
    columns, numbers, categories = {}, [], []
    for name in rows.column_names:
        if name in NOT_FEATURES:
            continue
        if pa.types.is_string(rows[name].type):
            columns[name] = pc.fill_null(rows[name], model.MISSING).to_pandas()
            categories.append(name)
        else:
            columns[name] = rows[name].cast(pa.float64()).to_pandas()
            numbers.append(name)
    return Features(pd.DataFrame(columns), numbers, categories)


def _drawn(size: int) -> NDArray[np.int64]:
    if size <= ENOUGH:
        return np.arange(size)
    return np.sort(np.random.default_rng(SEEDS[0]).choice(size, ENOUGH, replace=False))


def _risks(
    as_of: date,
    population: str,
    customers: Column,
    told: Floats,
    added: Floats,
    names: list[str],
) -> pa.Table:
    order = np.argsort(-added, axis=1, kind="stable")
    words = np.array(names, dtype=object)
    reasons = {}
    for rank in range(3):
        place = order[:, rank] if rank < len(names) else order[:, 0]
        raises = np.take_along_axis(added, place[:, None], axis=1)[:, 0] > 0
        told_here = raises & (rank < len(names))
        reasons[f"reason_{rank + 1}"] = pa.array(words[place], pa.string(), mask=~told_here)
    # 10 holds those at the highest risk; equal probabilities share a decile
    ranks = pd.Series(np.round(told, 6)).rank(method="max", pct=True).to_numpy()
    columns = {
        "as_of_date": pa.repeat(pa.scalar(as_of, pa.date32()), len(told)),
        "customer_id": customers,
        "population": pa.repeat(population, len(told)),
        "churn_probability": pa.array(np.round(told, 6)),
        "risk_decile": pa.array(np.ceil(np.round(ranks * 10, 9)).astype(np.int64)),
        **reasons,
    }
    return table_of(columns).cast(RISKS)


def _contributions(
    as_of: date, population: str, customers: Column, added: Floats, names: list[str]
) -> pa.Table:
    count = min(REASONS, len(names))
    order = np.argsort(-np.abs(added), axis=1, kind="stable")[:, :count]
    size = len(added) * count
    places = pa.array(np.repeat(np.arange(len(added)), count))
    columns = {
        "as_of_date": pa.repeat(pa.scalar(as_of, pa.date32()), size),
        "customer_id": customers.take(places),
        "population": pa.repeat(population, size),
        "feature": pc.take(pa.array(names), order.ravel()),
        "reason_rank": pa.array(np.tile(np.arange(1, count + 1), len(added))),
        "contribution": pa.array(np.round(np.take_along_axis(added, order, axis=1), 6).ravel()),
    }
    return table_of(columns).cast(CONTRIBUTIONS)
