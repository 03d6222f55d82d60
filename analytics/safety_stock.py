"""How much of a product to keep, so that demand that nobody foresaw can be met.

In: quantities per product and month. Out: forecast demand, its error, safety stock, reorder point;
quality beside the naive forecast. Touches nothing.

Demand is forecast by simple exponential smoothing (Brown 1959), all products at once; safety stock
= z(service level) x error of a month x square root of the lead time in months.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from analytics.arrow import schema_of, table_of
from analytics.maximum_likelihood import Floats
from analytics.quality import Figure, Quality

MODEL = "product_demand"
SMOOTHINGS = (0.05, 0.1, 0.2, 0.3, 0.5)
WARM_UP = 6
"""Months after which errors count."""

JUDGED = 6
"""Last months, which the choice of the smoothing does not see and which judge it."""

DAYS_OF_MONTH = 365.25 / 12
STOCK = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("product_code", pa.string()),
        ("months", pa.int64()),
        ("monthly_demand", pa.float64()),
        ("demand_error", pa.float64()),
        ("service_level", pa.float64()),
        ("lead_time_days", pa.int64()),
        ("safety_stock", pa.float64()),
        ("reorder_point", pa.float64()),
    ]
)


def smoothed(demand: Floats, share: float) -> tuple[Floats, Floats]:
    """Months x products to the forecast of each month by those before it, and of the next."""
    level = demand[:WARM_UP].mean(axis=0)
    told = np.empty(demand.shape)
    for month, came in enumerate(demand):
        told[month] = level
        level = level + share * (came - level)
    return told, level


def safety_stock(
    as_of: date, products: list[str], demand: Floats, settings: Mapping[str, float], version: str
) -> tuple[pa.Table, Quality]:
    """`demand`: months x products, every month since the first of anything."""
    if len(demand) < WARM_UP + JUDGED + 1 or not products:
        fault = f"{len(demand)} months of demand, fewer than {WARM_UP + JUDGED + 1}"
        return STOCK.empty_table(), Quality(MODEL, version, fault=fault)
    chosen_on = slice(WARM_UP, -JUDGED)
    trials = [smoothed(demand, share) for share in SMOOTHINGS]
    costs = np.array([_error(told[chosen_on] - demand[chosen_on]) for told, _ in trials])
    best = costs.argmin(axis=0)
    places = np.arange(len(products))
    told = np.stack([one for one, _ in trials])[best, :, places].T
    level = np.stack([one for _, one in trials])[best, places]
    quality = _quality(told, demand, version)
    if not quality.is_published:
        return STOCK.empty_table(), quality
    error = _error(told[WARM_UP:] - demand[WARM_UP:])
    days, service = settings["stock_lead_time_days"], settings["stock_service_level"]
    months = days / DAYS_OF_MONTH
    stock = float(norm.ppf(service)) * error * np.sqrt(months)
    size = len(products)
    columns = {
        "as_of_date": pa.repeat(pa.scalar(as_of, pa.date32()), size),
        "product_code": pa.array(products, pa.string()),
        "months": pa.repeat(len(demand), size),
        "monthly_demand": pa.array(np.round(level, 3)),
        "demand_error": pa.array(np.round(error, 3)),
        "service_level": pa.repeat(float(service), size),
        "lead_time_days": pa.repeat(int(days), size),
        "safety_stock": pa.array(np.round(stock, 3)),
        "reorder_point": pa.array(np.round(stock + level * months, 3)),
    }
    return table_of(columns).cast(STOCK), quality


def _error(errors: Floats) -> Floats:
    """Root mean square over months, per product."""
    found: Floats = np.sqrt((errors**2).mean(axis=0))
    return found


def _quality(told: Floats, demand: Floats, version: str) -> Quality:
    came = demand[-JUDGED:]
    usual = np.abs(np.diff(demand, axis=0)).mean(axis=0)
    sold = usual > 0
    if not sold.any():
        return Quality(MODEL, version, fault="demand never changes")
    error = np.abs(told[-JUDGED:] - came).mean(axis=0)[sold] / usual[sold]
    plain = np.abs(demand[-JUDGED - 1 : -1] - came).mean(axis=0)[sold] / usual[sold]
    return Quality(
        MODEL,
        version,
        [
            Figure(
                "scaled_error_of_the_last_months", float(error.mean()), "last month again",
                float(plain.mean()), more_is_better=False, decides=True,
            )
        ],
    )  # fmt: skip


def matrix_of(rows: pa.Table) -> tuple[list[str], Floats]:
    """Rows (product_code, month, quantity) to products and months x products."""
    if not rows.num_rows:
        return [], np.zeros((0, 0))
    codes: list[Any] = rows["product_code"].to_pylist()
    days: list[Any] = rows["month"].to_pylist()
    months = np.array([one.year * 12 + one.month for one in days])
    products = sorted(set(codes))
    place = {code: number for number, code in enumerate(products)}
    demand = np.zeros((months.max() - months.min() + 1, len(products)))
    columns = np.array([place[code] for code in codes])
    quantities = rows["quantity"].cast(pa.float64()).to_numpy()
    np.add.at(demand, (months - months.min(), columns), np.maximum(quantities, 0))
    return products, demand
