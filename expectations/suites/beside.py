"""Rules that look beyond the rows of a batch: at the tables of its snapshot, its size, its age.

In: a contract and the `Surroundings` of a batch. Out: expectations:
`<column>:references` (a key that the other table of the same snapshot does not have),
`table:volume` (of a table that was read whole: its size against the size before),
`<cursor>:fresh` and `<cursor>:not_in_the_future`. Touches nothing.

A reference that must be there holds the row back; the others are warnings: volume and age are a
person's to judge, and a hold before publishing (`warehouse.volume`) asks one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from great_expectations import expectations as gxe  # noqa: TID251

from expectations.engine import CRITICAL, ROW_NUMBER, WARNING, WHOLE, ExpectQueryToReturnNoRows
from extract.contract import Column, Contract
from extract.landing import CAST_ERRORS


@dataclass(frozen=True)
class Surroundings:
    """What is known around a batch. Relations are names of views in the engine.

    `keys`: per table the view of all keys it had in the snapshot; `rows`: per table the view of its
    rows in the same extraction. `size_before`: rows of the table when it was last read, for a batch
    that is the whole table. `latest`: no cursor can be later. `newest_known`: the highest cursor
    that was loaded before; `day_end`: the end of the batch's day. All in the source's local time.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)
    size_before: int | None = None
    latest: datetime | None = None
    newest_known: datetime | None = None
    day_end: datetime | None = None


def rules(contract: Contract, around: Surroundings) -> list[Any]:
    """The rules of a table that can be judged with what is known around its batch."""
    found = [
        _references(column, around.keys[table])
        for column in contract.columns
        if column.references and (table := column.references.rpartition(".")[0]) in around.keys
    ]
    return [*found, *_volume(contract, around), *_times(contract, around)]


def wrong_beside(
    rule: str,
    view: str,
    same: str,
    condition: str,
    why: str,
    *,
    severity: str = CRITICAL,
) -> Any:
    """The rule is broken by each row (`this`) that has a counterpart (`other`) in `view`, equal in
    the column `same`, so that the SQL `condition` holds."""
    return ExpectQueryToReturnNoRows(
        unexpected_rows_query=(
            f"select this.{ROW_NUMBER} from {{batch}} as this inner join {view} as other"
            f' on this."{same}" = other."{same}"'
            f" where this.{CAST_ERRORS} is null and other.{CAST_ERRORS} is null and ({condition})"
        ),
        severity=severity,
        meta={"rule": rule},
        description=why,
    )


def _references(column: Column, view: str) -> Any:
    table, _, key = str(column.references).rpartition(".")
    return ExpectQueryToReturnNoRows(
        unexpected_rows_query=(
            f"select this.{ROW_NUMBER} from {{batch}} as this anti join {view} as other"
            f' on this."{column.name}" = other."{key}" where this."{column.name}" is not null'
        ),
        severity=CRITICAL if column.required else WARNING,
        meta={"rule": f"{column.name}:references"},
        description=f"It names a row of {table} that the same snapshot does not have.",
    )


def _volume(contract: Contract, around: Surroundings) -> Iterable[Any]:
    before, bounds = around.size_before, contract.volume
    if before:
        yield gxe.ExpectTableRowCountToBeBetween(
            min_value=max(int(before * bounds.least_share), 1),
            max_value=int(max(before, contract.smallest_sample) * bounds.most_times),
            severity=WARNING,
            meta={"rule": "table:volume", WHOLE: True},
            description="The table is empty, or much smaller or larger than when it was last read.",
        )


def _times(contract: Contract, around: Surroundings) -> Iterable[Any]:
    if contract.cursor is None:
        return
    cursor = f'cast("{contract.cursor}" as timestamp)'
    if around.latest is not None:
        yield ExpectQueryToReturnNoRows(
            unexpected_rows_query=(
                f"select {ROW_NUMBER} from {{batch}} where {cursor} > timestamp '{around.latest}'"
            ),
            severity=WARNING,
            meta={"rule": f"{contract.cursor}:not_in_the_future"},
            description="The moment of the last change has not come yet: a clock is wrong.",
        )
    if contract.fresh_within is not None and around.day_end is not None:
        known = f"timestamp '{around.newest_known}'" if around.newest_known else "null"
        since = around.day_end - contract.fresh_within
        yield ExpectQueryToReturnNoRows(
            unexpected_rows_query=(
                f"select 1 as {ROW_NUMBER} from (select max({cursor}) as newest from {{batch}})"
                f" where coalesce(newest, {known}) < timestamp '{since}'"
            ),
            severity=WARNING,
            meta={"rule": f"{contract.cursor}:fresh", WHOLE: True},
            description="Nothing has changed in the table for longer than the contract expects.",
        )
