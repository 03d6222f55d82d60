"""Restated history: past months that a batch changes are noted, with rows and money."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from extract.contract_policy import DeletedWhen
from kehu.settings import Settings
from report import run_page
from tests.warehouse.landed import ACCOUNTS, PAYMENTS, at, land, payment, settings_at
from warehouse import connection, raw, run_report

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


def account(number: int, name: str, identity_no: str | None, minute: int = 0) -> dict[str, Any]:
    return {
        "account_no": f"A{number}",
        "holder_name": name,
        "holder_kind": "person",
        "identity_no": identity_no,
        "updated_at": at(minute),
    }


def test_an_id_that_the_source_gives_to_somebody_else(settings: Settings) -> None:
    """The new person is a new version; who it was before stays history; the reuse is reported."""
    people = [account(n, f"name {n}", f"id {n}") for n in range(10)]
    raw.load_batch(land(settings, ACCOUNTS, people), ACCOUNTS, settings, "run-1")
    # 7 is deleted; 5 is somebody else at once; 6 is spelt anew; 4 has no number any more
    changed = [
        account(5, "other", "id 55", minute=5),
        account(6, "name six", "id 6", minute=5),
        account(4, "name four", None, minute=5),
    ]
    keys = [person for person in people if person["account_no"] != "A7"]
    second = land(settings, ACCOUNTS, changed, keys=keys)
    assert raw.load_batch(second, ACCOUNTS, settings, "run-2").deleted == 1
    third = land(settings, ACCOUNTS, [account(7, "new person", "id 77", minute=9)], keys=people)
    result = raw.load_batch(third, ACCOUNTS, settings, "run-3")
    assert (result.loaded, result.updated, result.deleted) == (1, 1, 0)

    with connection.read(settings) as con:
        assert con.execute(
            "select holder_name, _is_current, _is_deleted from raw.billing__accounts"
            " where account_no = 'A7' order by updated_at"
        ).fetchall() == [("name 7", False, False), ("new person", True, False)]
        reported = con.execute("select batch, keys from ops.reused_keys order by batch").fetchall()
    assert reported == [(str(second.address), 1), (str(third.address), 1)]
    report = run_report.of_ingest(settings, "run-3", run_report.Told("ingest_billing", "success"))
    (table,) = json.loads(report.read_text())["tables"]
    assert table["reused_keys"] == 1


def test_the_run_report_tells_what_was_restated(settings: Settings) -> None:
    rows = [paid(n, "2025-03") for n in range(10)]
    raw.load_batch(land(settings, PAYMENTS, rows), PAYMENTS, settings, "run-1")
    late = land(settings, PAYMENTS, [paid(1, "2025-03", "12.50", minute=5)], keys=rows)
    raw.load_batch(late, PAYMENTS, settings, "run-2")
    path = run_report.of_ingest(settings, "run-2", run_report.Told("ingest_billing", "success"))
    content = json.loads(path.read_text())
    schema = json.loads(run_report.SCHEMA.read_text())
    jsonschema.Draft202012Validator(schema).validate(content)
    month = {"period": "2025-03", "added": 0, "changed": 1, "deleted": 0}
    assert content["tables"][0]["restated"] == [month | {"deltas": {"amount": "2.50"}}]
    assert "2025-03 restated: 0 added, 1 changed" in run_page.build(path).read_text()
