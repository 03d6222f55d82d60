"""What readers were told of a customer, over days on which customers change, go and come back."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.dbt_project.scratch_warehouse import PROJECT, ScratchWarehouse

COLUMNS = [
    "customer_id",
    "customer_type",
    "display_name",
    "region",
    "first_seen_date",
    "in_billing",
    "in_his",
    "in_orders",
    "in_service",
    "phone_masked",
    "email_masked",
    "phone_hash",
    "email_hash",
    "identity_no_hash",
    "hash_key_id",
]
_VERSIONS = (
    "select customer_id, region, valid_from, valid_to, told_on, version_id"
    " from snapshots.customer_attributes order by all"
)
FIRST, SECOND, THIRD = (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2))


def _type_of(column: str) -> str:
    if column.endswith("date"):
        return "date"
    return "boolean" if column.startswith("in_") else "varchar"


@pytest.fixture
def warehouse(tmp_path: Path) -> ScratchWarehouse:
    """The snapshot alone, over a table of customers that the test writes."""
    made = ScratchWarehouse.make(
        tmp_path, (), {"dim_customers": f"select {', '.join(COLUMNS)} from made_up.customers"}
    )
    shutil.copytree(PROJECT / "snapshots", tmp_path / "snapshots")
    columns = ", ".join(f"{name} {_type_of(name)}" for name in COLUMNS)
    made.execute("create schema made_up", f"create table made_up.customers ({columns})")
    return made


def _build(warehouse: ScratchWarehouse, day: date, **regions: str | None) -> list[tuple[Any, ...]]:
    """One day on which these customers are known; the versions afterwards, without their keys."""
    warehouse.execute(
        "delete from made_up.customers",
        *(
            "insert into made_up.customers (customer_id, region)"
            f" values ('{customer}', {'null' if region is None else repr(region)})"
            for customer, region in regions.items()
        ),
    )
    warehouse.build("--select", "+customer_attributes", as_of_dates=[day.isoformat()])
    return [row[:4] for row in warehouse.query(_VERSIONS)]


def test_a_change_closes_one_version_and_opens_the_next(warehouse: ScratchWarehouse) -> None:
    assert _build(warehouse, FIRST, a="east", b="west", c=None) == [
        ("a", "east", FIRST, None),
        ("b", "west", FIRST, None),
        ("c", None, FIRST, None),
    ]
    second = _build(warehouse, SECOND, a="east", b="north", d="south")
    assert second == [
        ("a", "east", FIRST, None),
        ("b", "north", SECOND, None),
        ("b", "west", FIRST, SECOND),
        ("c", None, FIRST, SECOND),
        ("d", "south", SECOND, None),
    ], "one changed, one is gone, one is new"
    stamps = warehouse.query(_VERSIONS)
    assert all(row[4] == row[2] for row in stamps), "no clock"

    # The same day again, with other rows: what the day wrote is taken back first.
    assert _build(warehouse, SECOND, a="west", b="west", c=None) == [
        ("a", "east", FIRST, SECOND),
        ("a", "west", SECOND, None),
        ("b", "west", FIRST, None),
        ("c", None, FIRST, None),
    ]
    assert _build(warehouse, SECOND, a="east", b="north", d="south") == second
    assert warehouse.query(_VERSIONS) == stamps, "keys as well"

    assert _build(warehouse, THIRD, a="east", b="north", c=None) == [
        ("a", "east", FIRST, None),
        ("b", "north", SECOND, None),
        ("b", "west", FIRST, SECOND),
        ("c", None, FIRST, SECOND),
        ("c", None, THIRD, None),
        ("d", "south", SECOND, THIRD),
    ], "who comes back begins a new version"
