"""What customers who have one product also have: support, confidence, lift.

In: which customer has bought which product, and since when. Out: rules from one product to another;
quality on months that the rules did not see, beside the most popular products. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from analytics.arrow import numbers_by_name, pc, schema_of, table_of
from analytics.maximum_likelihood import Floats
from analytics.quality import Figure, Quality, data_version

MODEL = "cross_sell"
OFFERS = 5
"""Products offered to a customer when the rules are judged."""

JUDGED = 50_000
"""Customers that judge at most, those whose id comes first: ids are hashes."""

RULES = schema_of(
    [
        ("as_of_date", pa.date32()),
        ("item_level", pa.string()),
        ("item", pa.string()),
        ("other_item", pa.string()),
        ("customers_with_item", pa.int64()),
        ("customers_with_other", pa.int64()),
        ("customers_with_both", pa.int64()),
        ("support", pa.float64()),
        ("confidence", pa.float64()),
        ("lift", pa.float64()),
    ]
)


def step(
    as_of_dates: Sequence[date], items: pa.Table, settings: pa.Table
) -> Mapping[str, pa.Table]:
    """Reads `statistics.int_customer_items`: item_level, customer_id, item, is_held_out."""
    as_of = max(as_of_dates)
    said = numbers_by_name(settings)
    fewest = int(said["cross_sell_fewest_customers"])
    rules, figures = [], []
    for level in ("product", "product_class"):
        rows = items.filter(pc.equal(items["item_level"], level)).sort_by(
            [("customer_id", "ascending"), ("item", "ascending")]
        )
        quality = _judged(level, rows, fewest)
        figures.append(quality.rows(as_of))
        if quality.is_published:
            rules.append(_rules(as_of, level, _held(rows), fewest))
    return {
        "cross_sell": pa.concat_tables([RULES.empty_table(), *rules]),
        "cross_sell_quality": pa.concat_tables(figures),
    }


class _Held:
    """Customers x items as a sparse matrix of ones."""

    def __init__(self, matrix: Any, items: list[str]) -> None:
        self.matrix, self.items = matrix, items
        self.customers = matrix.shape[0]
        self.counts: NDArray[np.int64] = np.asarray(matrix.sum(axis=0)).ravel().astype(np.int64)

    def both(self) -> NDArray[np.int64]:
        """Items x items: customers who have both."""
        found: NDArray[np.int64] = (self.matrix.T @ self.matrix).toarray().astype(np.int64)
        np.fill_diagonal(found, 0)
        return found


def _held(rows: pa.Table, items: list[str] | None = None, customers: Any = None) -> _Held:
    known = items if items is not None else pc.unique(rows["item"]).sort().to_pylist()
    people = customers if customers is not None else pc.unique(rows["customer_id"])
    row = pc.index_in(rows["customer_id"], people).to_numpy()
    column = pc.index_in(rows["item"], pa.array(known, pa.string())).to_numpy()
    ones = np.ones(rows.num_rows, dtype=np.int64)
    shape = (len(people), len(known))
    return _Held(sparse.csr_array((ones, (row, column)), shape=shape), known)


def _rules(as_of: date, level: str, held: _Held, fewest: int) -> pa.Table:
    """Pairs that enough customers have, and more of them than chance would bring together."""
    both = held.both()
    lift = _lift(held, both)
    item, other = np.nonzero((both >= fewest) & (lift > 1))
    names = pa.array(held.items, pa.string())
    together = both[item, other]
    columns = {
        "as_of_date": pa.repeat(pa.scalar(as_of, pa.date32()), len(item)),
        "item_level": pa.repeat(level, len(item)),
        "item": pc.take(names, pa.array(item)),
        "other_item": pc.take(names, pa.array(other)),
        "customers_with_item": pa.array(held.counts[item]),
        "customers_with_other": pa.array(held.counts[other]),
        "customers_with_both": pa.array(together),
        "support": pa.array(np.round(together / held.customers, 6)),
        "confidence": pa.array(np.round(together / held.counts[item], 6)),
        "lift": pa.array(np.round(lift[item, other], 6)),
    }
    return table_of(columns).cast(RULES)


def _lift(held: _Held, both: NDArray[np.int64]) -> Floats:
    expected = np.outer(held.counts, held.counts) / held.customers
    found: Floats = np.divide(both, expected, out=np.zeros(both.shape), where=expected > 0)
    return found


def _judged(level: str, rows: pa.Table, fewest: int) -> Quality:
    """Whether customers' next new products were among the first offers of the rules."""
    name, version = f"{MODEL}_{level}", data_version(rows)
    before = rows.filter(pc.invert(rows["is_held_out"]))
    later = rows.filter(rows["is_held_out"])
    later = later.filter(pc.is_in(later["customer_id"], pc.unique(before["customer_id"])))
    later = later.filter(pc.is_in(later["item"], pc.unique(before["item"])))
    people = pc.unique(later["customer_id"])[:JUDGED]
    if len(people) < fewest:
        fault = f"{len(people)} customers bought another item in the months that are held out"
        return Quality(name, version, fault=fault)
    known = _held(before)
    mine = before.filter(pc.is_in(before["customer_id"], people))
    theirs = later.filter(pc.is_in(later["customer_id"], people))
    owned, bought = _held(mine, known.items, people), _held(theirs, known.items, people)
    popularity = known.counts / known.customers
    # what is popular, more so where the customer's own products lift it; a lift that rests on few
    # customers is drawn towards 1
    both, expected = known.both(), np.outer(known.counts, known.counts) / known.customers
    lift = (both + fewest) / (expected + fewest)
    per_customer = np.maximum(np.asarray(owned.matrix.sum(axis=1)).reshape(-1, 1), 1)
    offered = popularity * np.exp((owned.matrix @ np.log(lift)) / per_customer)
    plain = np.broadcast_to(popularity, offered.shape)
    baseline = "the most popular"
    return Quality(
        name,
        version,
        [
            Figure(
                "mean_reciprocal_rank", _ranks(offered, owned, bought), baseline,
                _ranks(plain, owned, bought), decides=True,
            ),
            Figure(
                f"hit_rate_of_{OFFERS}_offers", _hits(offered, owned, bought), baseline,
                _hits(plain, owned, bought),
            ),
        ],
    )  # fmt: skip


def _order(score: Floats, owned: _Held) -> NDArray[np.int64]:
    """Items from the first offer to the last; what a customer has is not offered."""
    left = np.where(owned.matrix.toarray() > 0, -np.inf, score)
    found: NDArray[np.int64] = np.argsort(-left, axis=1, kind="stable")
    return found


def _hits(score: Floats, owned: _Held, bought: _Held) -> float:
    """Share of customers who bought one of the first offers."""
    first = _order(score, owned)[:, :OFFERS]
    return float(
        (np.take_along_axis(bought.matrix.toarray(), first, axis=1) > 0).any(axis=1).mean()
    )


def _ranks(score: Floats, owned: _Held, bought: _Held) -> float:
    taken = np.take_along_axis(bought.matrix.toarray(), _order(score, owned), axis=1) > 0
    return float(np.mean(1 / (1 + taken.argmax(axis=1))))
