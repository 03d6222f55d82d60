"""Restated history: past months that a batch changes are noted, with rows and money."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from extract.contract_policy import DeletedWhen
from kehu.settings import Settings
from tests.warehouse.landed import PAYMENTS, land, payment, settings_at
from warehouse import connection, raw

DAY = date(2026, 1, 31)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def paid(number: int, month: str, amount: str = "10.00", minute: int = 0, **more: Any) -> Any:
    return payment(number, amount, minute, paid_at=datetime.fromisoformat(f"{month}-15"), **more)


def restated(settings: Settings) -> list[tuple[Any, ...]]:
    with connection.read(settings) as con:
        rows = con.execute(
            "select period, added, changed, deleted, deltas from ops.restatements order by all"
        ).fetchall()
    return [(*row[:-1], json.loads(row[-1])["amount"]) for row in rows]


@pytest.mark.fault(39, "months that a batch restates, with rows and money")
def test_a_corrected_a_late_and_a_deleted_row_of_last_year(settings: Settings) -> None:
    rows = [paid(n, "2025-03") for n in range(10)] + [paid(n, "2026-01") for n in range(10, 20)]
    raw.load_batch(land(settings, PAYMENTS, rows), PAYMENTS, settings, "run-1")
    assert restated(settings) == [], "a first load restates nothing"

    changed = [
        paid(1, "2025-03", "12.50", minute=5),
        paid(2, "2025-04", minute=5),
        paid(50, "2024-12", "7.00", minute=5),
        paid(11, "2026-01", "99.00", minute=5),
        paid(51, "2026-01", minute=5),
    ]
    keys = [row for row in rows if row["payment_no"] != "P000003"] + changed
    batch = land(settings, PAYMENTS, changed, keys=keys)
    raw.load_batch(batch, PAYMENTS, settings, "run-2")

    assert restated(settings) == [
        ("2024-12", 1, 0, 0, "7.00"),
        # row 1 by 2.50 more, row 2 left for April, row 3 is gone
        ("2025-03", 0, 2, 1, "-17.50"),
        ("2025-04", 0, 0, 0, "10.00"),
    ]
    raw.load_batch(batch, PAYMENTS, settings, "run-3")
    assert len(restated(settings)) == 3


def test_a_row_marked_as_deleted_leaves_its_month(settings: Settings) -> None:
    contract = replace(PAYMENTS, deletes="flag", deleted_when=DeletedWhen("channel", ("void",)))
    rows = [paid(n, "2025-03") for n in range(10)]
    raw.load_batch(land(settings, contract, rows), contract, settings, "run-1")
    marked = [paid(4, "2025-03", minute=5, channel="void")]
    raw.load_batch(land(settings, contract, marked), contract, settings, "run-2")
    assert restated(settings) == [("2025-03", 0, 0, 1, "-10.00")]
    back = [paid(4, "2025-03", minute=9)]
    raw.load_batch(land(settings, contract, back), contract, settings, "run-3")
    assert restated(settings)[0] == ("2025-03", 0, 0, 1, "-10.00")
    assert restated(settings)[1] == ("2025-03", 1, 0, 0, "10.00")


def test_an_unchanged_row_restates_nothing(settings: Settings) -> None:
    rows = [paid(n, "2025-03") for n in range(10)]
    raw.load_batch(land(settings, PAYMENTS, rows), PAYMENTS, settings, "run-1")
    raw.load_batch(land(settings, PAYMENTS, rows), PAYMENTS, settings, "run-2")
    assert restated(settings) == []
