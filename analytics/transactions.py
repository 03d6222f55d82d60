"""Purchases of customers, and what the models of repeat buying need to know of them.

In: a file with a mapping, or Arrow columns. Out: purchase days per customer; histories up to a day.
Touches: reads the file. Purchases of a customer on one day are one purchase.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.arrow import pc
from analytics.maximum_likelihood import Floats
from analytics.table_file import Columns, read_mapping

EPOCH = date(1970, 1, 1)
NO_AMOUNTS = "The transaction table has no amounts: without them nothing can be said about money."


@dataclass(frozen=True)
class Purchases:
    """One entry per customer and day of purchase, by customer and day; days since 1970."""

    names: list[str]
    customer: NDArray[np.int64]
    """Place in `names`."""
    day: NDArray[np.int64]
    amount: Floats

    @property
    def last_day(self) -> int:
        return int(self.day.max())


@dataclass(frozen=True)
class Histories:
    """Customers whose first purchase is on or before a day, and what was known on it, in days."""

    customer: NDArray[np.int64]
    """Place in `Purchases.names`."""
    x: NDArray[np.int64]
    t_x: NDArray[np.int64]
    T: NDArray[np.int64]
    mean_amount: Floats
    """Of repeat purchases; 0 without one."""


def day_number(day: date) -> int:
    return (day - EPOCH).days


def read_purchases(path: Path, mapping: Path, *, with_amounts: bool = True) -> Purchases:
    """Purchases in `path`; raises `AnalysisError` naming what is missing."""
    columns = Columns(path, read_mapping(mapping))
    needed = ["customer", "date", *(["amount"] if with_amounts else [])]
    columns.require(needed, {"amount": NO_AMOUNTS})
    customer = pc.dictionary_encode(columns.text("customer")).unify_dictionaries()
    customer = pa.concat_arrays(customer.chunks)
    days = columns.date("date").cast(pa.int32()).to_numpy().astype(np.int64)
    amounts = (
        pc.cast(columns.amount("amount"), pa.float64()).to_numpy()
        if with_amounts
        else np.zeros(len(days))
    )
    return purchase_days(
        customer.dictionary.to_pylist(),
        customer.indices.to_numpy().astype(np.int64),
        days,
        amounts,
    )


def purchase_days(
    names: list[str], customer: NDArray[np.int64], day: NDArray[np.int64], amount: Floats
) -> Purchases:
    """Add up the amounts of a customer's day; names come into the order of the alphabet."""
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    first = int(day.min()) if len(day) else 0
    key = (place[customer] << 20) + (day - first)
    distinct, where = np.unique(key, return_inverse=True)
    return Purchases(
        names=[names[one] for one in order],
        customer=distinct >> 20,
        day=(distinct & ((1 << 20) - 1)) + first,
        amount=_sums(where, amount, len(distinct)),
    )


def histories(purchases: Purchases, until: int) -> Histories:
    """What was known of each customer at the end of day `until`."""
    kept = purchases.day <= until
    customer, day, amount = (
        purchases.customer[kept], purchases.day[kept], purchases.amount[kept],
    )  # fmt: skip
    known, first, counts = np.unique(customer, return_index=True, return_counts=True)
    repeats = counts - 1
    born, last = day[first], day[first + repeats]
    spent = np.add.reduceat(amount, first) - amount[first] if len(first) else np.zeros(0)
    return Histories(
        customer=known,
        x=repeats,
        t_x=last - born,
        T=until - born,
        mean_amount=np.divide(spent, repeats, out=np.zeros(len(known)), where=repeats > 0),
    )


def bought_between(
    purchases: Purchases, after: int, until: int
) -> tuple[NDArray[np.int64], Floats]:
    """Per place in `names`: purchase days in (after, until], and their amount."""
    kept = (purchases.day > after) & (purchases.day <= until)
    customer, size = purchases.customer[kept], len(purchases.names)
    count = np.bincount(customer, minlength=size).astype(np.int64)
    return count, _sums(customer, purchases.amount[kept], size)


def _sums(places: NDArray[np.int64], amounts: Floats, size: int) -> Floats:
    return np.bincount(places, weights=amounts, minlength=size).astype(np.float64)
