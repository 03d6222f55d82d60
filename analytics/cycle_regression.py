"""Receivable cycle explained by concentration, its square and timeliness of collection.

In: observations per system and as-of date, and the settings. Out: one row per term: coefficient,
standard error, t, p, variance inflation. Touches nothing.

Least squares with the squared term, after the study the catalogue names (S000-64): it expects the
cycle to rise and fall again with concentration (a negative square) and to fall with timeliness. A
variance inflation above 10 says that a term cannot be told from the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analytics.arrow import numbers_by_name

TERMS = ("intercept", "concentration", "concentration_squared", "timeliness")
_NUMBERS = ("coefficient", "standard_error", "t_value", "p_value", "variance_inflation")
_FIELDS: list[pa.Field[Any]] = [
    pa.field("as_of_date", pa.date32()),
    pa.field("term", pa.string()),
    *(pa.field(name, pa.float64()) for name in _NUMBERS),
    pa.field("observations", pa.int64()),
    pa.field("r_squared", pa.float64()),
    pa.field("note", pa.string()),
]
_SCHEMA = pa.schema(_FIELDS)
Matrix = npt.NDArray[np.float64]


def regress(
    as_of_dates: Sequence[date], observations: pa.Table, settings: pa.Table
) -> Mapping[str, pa.Table]:
    """The regression over all observations, told for the newest as-of date.

    `observations`: receivable_cycle_days, top5_share, collection_timeliness. With fewer whole rows
    than the setting cycle_fewest_observations, or a term that never moves, there is a note and no
    number.
    """
    names = ("receivable_cycle_days", "top5_share", "collection_timeliness")
    # in one order, whatever the engine's: sums of floating point hang on it
    ordered = observations.select(names).sort_by([(name, "ascending") for name in names])
    rows = ordered.to_pandas().astype(float).dropna()
    cycle, share, timeliness = (rows[name].to_numpy() for name in names)
    # centred, so that the share and its square are not one and the same
    centred = share - share.mean() if len(rows) else share
    terms = np.column_stack([np.ones(len(rows)), centred, centred**2, timeliness])
    note = _unusable(terms, int(numbers_by_name(settings)["cycle_fewest_observations"]))
    if note:
        made = [{"term": term, "note": note, "observations": len(rows)} for term in TERMS]
    else:
        made = _fit(cycle, terms)
    day = max(as_of_dates)
    table = [dict.fromkeys(_SCHEMA.names) | each | {"as_of_date": day} for each in made]
    return {"cycle_regression": pa.Table.from_pylist(table, schema=_SCHEMA)}


def _unusable(terms: Matrix, fewest: int) -> str | None:
    if len(terms) < fewest:
        return f"{len(terms)} observations are too few, {fewest} are needed"
    if np.linalg.matrix_rank(terms) < terms.shape[1]:
        return "a term does not vary"
    return None


def _fit(cycle: Matrix, terms: Matrix) -> list[dict[str, object]]:
    from statsmodels.regression.linear_model import OLS
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    fitted = OLS(cycle, terms).fit()
    return [
        {
            "term": term,
            "coefficient": float(fitted.params[at]),
            "standard_error": float(fitted.bse[at]),
            "t_value": float(fitted.tvalues[at]),
            "p_value": float(fitted.pvalues[at]),
            "variance_inflation": float(variance_inflation_factor(terms, at)) if at else None,
            "observations": len(cycle),
            "r_squared": float(fitted.rsquared),
            "note": None,
        }
        for at, term in enumerate(TERMS)
    ]
