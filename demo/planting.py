"""Bad rows, planted so that validation has something to refuse, and their exact number.

In: rows of a table, its contract. Out: spoilt copies of some of them, and the count by rule.
Touches nothing. What is planted stands in `data/planting.yaml`.

A spoilt row is an addition: it copies a good row under a key of its own, so nothing depends on it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from demo.arrow import Texts, kernels
from demo.chance import Ints, stream
from demo.clock import NEVER
from demo.frames import Rows, to_table
from demo.pools import read
from demo.setting import Setting
from extract.contract import Contract


@dataclass(frozen=True)
class Planted:
    """Spoilt rows to write now, how many are new since, and how many were written again."""

    rows: pa.Table
    added: Counter[str]
    touched: Counter[str]


def plant(world: Setting, contract: Contract, rows: Rows, since: int) -> Planted | None:
    """Spoil copies of some rows; None for a table where nothing is planted.

    Every part in which a table is generated draws from a stream of its own, named by the part.
    """
    ways = read("planting").get(contract.name)
    if not ways:
        return None
    share = world.rules["planting"]["share"]
    drawn = stream(world.seed, "planting", contract.name, rows.part).random(len(rows))
    way = np.where(drawn < share, np.floor(drawn / share * len(ways)), -1).astype(np.int64)
    if rows.deleted is not None:
        way = np.where(rows.deleted < NEVER, -1, way)
    there = (way >= 0) & (rows.entered <= world.now)
    fresh = there & (rows.entered > since)
    written = there & (rows.updated > since)
    tables = []
    for number, (_, column, value) in enumerate(ways):
        which = written & (way == number)
        if which.any():
            table = _own_key(to_table(rows, contract, which), contract)
            tables.append(_spoil(table, contract, column, value))
    return Planted(
        rows=pa.concat_tables(tables) if tables else contract.arrow_schema.empty_table(),
        added=_count(way[fresh], ways),
        touched=_count(way[written], ways),
    )


def _count(way: Ints, ways: list[Any]) -> Counter[str]:
    return Counter({ways[n][0]: int(count) for n, count in enumerate(np.bincount(way)) if count})


def _set(table: pa.Table, column: str, values: Texts) -> pa.Table:
    position = table.schema.get_field_index(column)
    return table.set_column(position, table.schema.field(column), values)


def _own_key(table: pa.Table, contract: Contract) -> pa.Table:
    """Give copies a key that no good row has."""
    last = contract.key[-1]
    kind = contract.column(last).physical_type
    values = table.column(last)
    if contract.column(last).pattern:
        # a billing month, which must stay one: the same month, years before there were readings
        years = kernels.subtract(kernels.utf8_slice_codeunits(values, 0, 4).cast(pa.int64()), 9)
        other = kernels.binary_join_element_wise(
            years.cast(pa.string()), kernels.utf8_slice_codeunits(values, 4), ""
        )
    elif kind == "varchar":
        other = kernels.binary_join_element_wise(values, "X", "")
    elif kind == "bigint":
        other = kernels.negate(values)
    else:
        other = kernels.add(values, pa.scalar(100, values.type))
    return _set(table, last, other)


def _spoil(table: pa.Table, contract: Contract, column: str, value: str | None) -> pa.Table:
    kind = contract.column(column).arrow_type
    if value == "before issued":
        days = table.column("issued_date").cast(pa.int32())
        return _set(
            table, column, kernels.subtract(days, pa.scalar(3, pa.int32())).cast(pa.date32())
        )
    if value is None:
        return _set(table, column, pa.array([None] * table.num_rows, kind))
    return _set(table, column, pa.array([value] * table.num_rows).cast(kind))
