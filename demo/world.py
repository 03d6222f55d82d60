"""A world at a moment, table by table: what to write, what to delete, what is true.

In: a `Setting` and, to move on, the moment it was last written. Out: `Change`s in an order in which
parents come first, the truth, the canaries. Touches nothing.

The rows a database holds at the end of a day are a function of seed, customers, start and day; to
advance is to write what changed and delete what went since another day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from demo import billing, his, orders, service
from demo.arrow import Texts
from demo.clock import DAY
from demo.frames import Rows, to_table
from demo.planting import plant
from demo.population import CANARIES, LABELS
from demo.records import truth as record_truth
from demo.setting import Setting
from extract.contract import Contract

GENERATORS = {
    "billing": billing.facts,
    "his": his.facts,
    "orders": orders.facts,
    "service": service.facts,
}
EVER = -(2**62)
"""A moment before everything: a change since then is the whole table."""


@dataclass(frozen=True)
class Change:
    """What happens to one part of one table."""

    contract: Contract
    rows: pa.Table
    """Rows to write, new and changed, planted ones included."""
    gone: pa.Table
    """Keys of rows to delete."""
    new: int
    changed: int
    late: int
    """Of the new rows those entered on a later day than what they tell of."""
    planted: Counter[str]
    """Planted rows among the new ones, by rule."""
    spoilt: Counter[str]
    """Planted rows among all written ones, by rule."""


def changes(world: Setting, contracts: Sequence[Contract], since: int = EVER) -> Iterator[Change]:
    """All changes of one system's tables after `since` up to the world's moment."""
    by_name = {contract.name: contract for contract in contracts}
    (system,) = {contract.system for contract in contracts}
    for rows in GENERATORS[system](world):
        if len(rows):
            yield _change(world, by_name[rows.table], rows, since)


def _change(world: Setting, contract: Contract, rows: Rows, since: int) -> Change:
    there = rows.entered <= world.now
    fresh = there & (rows.entered > since)
    written = there & (rows.updated > since)
    gone = np.zeros(len(rows), dtype=bool)
    if rows.deleted is not None:
        left = rows.deleted <= world.now
        gone = there & left & (rows.entered <= since) & (rows.deleted > since)
        fresh, written = fresh & ~left, written & ~left
    table = to_table(rows, contract, written)
    planted = plant(world, contract, rows, since)
    if planted is not None and planted.rows.num_rows:
        table = pa.concat_tables([table, planted.rows])
    late = 0
    if rows.happened is not None:
        late = int((fresh & (rows.happened // DAY < rows.entered // DAY)).sum())
    return Change(
        contract=contract,
        rows=table,
        gone=to_table(rows, contract, gone).select(list(contract.key)),
        new=int(fresh.sum()),
        changed=int((written & ~fresh).sum()),
        late=late,
        planted=planted.added if planted else Counter(),
        spoilt=planted.touched if planted else Counter(),
    )


def truth(world: Setting) -> pa.Table:
    """Which party every record stands for that exists now."""
    return pa.concat_tables(
        record_truth(records, world.people, world.now, LABELS) for records in world.records.values()
    )


def canaries(world: Setting) -> Mapping[str, Any]:
    """What is written of the canaries: values that must never leave the restricted zone."""
    found: dict[str, list[str]] = {
        name: [] for name in ("name", "identity", "phone", "email", "address")
    }
    for kind, records in world.records.items():
        details = world.details(kind)
        mine = np.flatnonzero((records.party < CANARIES) & (records.entered <= world.now))
        for name, values in found.items():
            column: Texts = getattr(details, name)
            values.extend(v for v in column.take(pa.array(mine)).to_pylist() if v is not None)
    return {name: sorted(set(values)) for name, values in found.items()}
