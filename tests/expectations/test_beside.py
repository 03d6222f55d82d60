"""Rules that look beyond a batch: other tables of its snapshot, size, age. Planted, and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from expectations import gate
from expectations.replay import replay
from expectations.suites import across, of_table
from expectations.suites.beside import Surroundings
from extract.contract import Contract
from extract.landing import Batch, Verdict
from kehu.settings import Settings
from tests.expectations.landed import land, quarantined, sound_rows

Judge = Callable[[Batch, Contract], Verdict]
LATER = datetime(2026, 1, 11)  # noqa: DTZ001 - sources keep local time

# table -> rule -> cells of the other table's rows that make every row of this one wrong
PLANTED: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "billing.bill_events": {
        "bill_events:not_before_bill": ("billing.bills", {"issued_date": date(2026, 1, 11)})
    },
    "billing.payments": {
        "payments:currency_of_bill": ("billing.bills", {"currency_code": "EUR"}),
        "payments:account_of_bill": ("billing.bills", {"account_no": "another"}),
    },
    "his.visits": {
        "visits:patient_registered_before": (
            "his.patients",
            {"registered_date": date(2026, 1, 11)},
        )
    },
    "his.settlements": {"settlements:not_before_admission": ("his.visits", {"admitted_at": LATER})},
    "orders.shipments": {"shipments:not_before_order": ("orders.orders", {"ordered_at": LATER})},
    "orders.invoices": {"invoices:customer_of_order": ("orders.orders", {"customer_no": "x"})},
    "orders.receipts": {
        "receipts:currency_of_invoice": ("orders.invoices", {"currency_code": "EUR"})
    },
    "service.campaign_contacts": {
        "campaign_contacts:not_before_campaign": (
            "service.campaigns",
            {"starts_date": date(2026, 1, 11)},
        )
    },
}


def same_keys(contract: Contract, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose references name the row of the other table with the same number."""
    for number, row in enumerate(rows, start=1):
        for column in contract.columns:
            if column.references:
                row[column.name] = f"{column.references.rpartition('.')[2]}-{number}"
    return rows


@pytest.mark.parametrize("name", PLANTED)
def test_each_rule_across_tables_finds_what_was_planted(
    name: str, contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = contracts[name]
    for rule, (other, cells) in PLANTED[name].items():
        snapshot = f"snapshot-{rule.partition(':')[2]}"
        beside = sound_rows(contracts[other], 4)
        beside[1] |= cells
        beside[2] |= cells
        land(contracts[other], beside, settings, batch_id=snapshot)
        rows = same_keys(contract, sound_rows(contract, 4))
        verdict = judge(land(contract, rows, settings, batch_id=snapshot), contract)
        found = verdict.reasons | verdict.warnings
        assert found == {rule: 2}, rule
    assert set(PLANTED[name]) == {each.rule for each in across.RULES[name]}


def test_every_rule_across_tables_is_planted_here(contracts: dict[str, Contract]) -> None:
    assert set(PLANTED) == set(across.RULES) <= contracts.keys()
    for rules in across.RULES.values():
        for each in rules:
            assert each.same in {c.name for c in contracts[each.other].columns}


def test_orphans_of_the_same_snapshot_are_held_back(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    """Bills of an account that is in the source's list of keys, though not among the changes."""
    accounts, payments = contracts["billing.accounts"], contracts["billing.payments"]
    keys = pa.table({"account_no": ["account_no-1", "account_no-2"]})
    told = {"batch_id": "s1", "cursor_from": "2026-01-09T00:00:00"}
    land(accounts, sound_rows(accounts, 1), settings, keys=keys, source_keys=2, **told)
    batch = land(payments, sound_rows(payments, 5), settings, batch_id="s1")
    assert judge(batch, payments).reasons == {"account_no:references": 3}
    assert [row["payment_no"][-1] for row in quarantined(batch)] == ["3", "4", "5"]

    # The accounts arrive with the next run: the rows that waited pass now.
    land(accounts, sound_rows(accounts, 4), settings, batch_id="s2")
    ((_, verdict),) = replay("billing", "payments", settings, "s1")
    assert (verdict.passed_rows, verdict.reasons) == (2, {"account_no:references": 1})


def test_nothing_is_said_of_tables_that_were_not_read_whole(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    bills, events = contracts["billing.bills"], contracts["billing.bill_events"]
    land(bills, [], settings, batch_id="s1", cursor_from="2026-01-09T00:00:00")
    batch = land(events, sound_rows(events, 3), settings, batch_id="s1")
    assert (judge(batch, events).reasons, judge(batch, events).warnings) == ({}, {})


def test_an_optional_reference_is_reported_only(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    patients, groups = contracts["his.patients"], contracts["his.group_clients"]
    land(groups, sound_rows(groups, 1), settings, batch_id="s1")
    rows = sound_rows(patients, 3)
    rows[0]["group_client_no"] = "group_client_no-1"
    rows[1]["group_client_no"] = "group_client_no-9"
    verdict = judge(land(patients, rows, settings, batch_id="s1"), patients)
    assert (verdict.reasons, verdict.warnings) == ({}, {"group_client_no:references": 1})


@pytest.mark.parametrize(("rows", "warned"), [(0, True), (9, True), (10, False), (2000, True)])
def test_the_size_of_a_whole_table(
    rows: int, warned: bool, contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = replace(contracts["his.departments"], smallest_sample=1)
    land(contract, sound_rows(contract, 100), settings, batch_id="s1", table_rows=100)
    batch = land(contract, sound_rows(contract, rows), settings, batch_id="s2", table_rows=rows)
    assert judge(batch, contract).warnings == ({"table:volume": 1} if warned else {})


def test_a_table_that_stands_still_and_a_clock_that_runs_ahead(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract = contracts["billing.payments"]
    assert contract.fresh_within == timedelta(days=5)
    rows = sound_rows(contract, 3)
    for row in rows:
        row["paid_at"] = row["settled_at"] = datetime(2026, 1, 3)  # noqa: DTZ001
        row["updated_at"] = datetime(2026, 1, 4)  # noqa: DTZ001
    old = land(contract, rows, settings, batch_id="s1")
    assert judge(old, contract).warnings == {"updated_at:fresh": 1}
    # no row at all: what was known before decides
    for since, warned in (
        ("2026-01-09T00:00:00", {}),
        ("2026-01-01T00:00:00", {"updated_at:fresh": 1}),
    ):
        empty = land(contract, [], settings, cursor_from=since)
        assert judge(empty, contract).warnings == warned

    rows[0]["updated_at"] = datetime(2026, 1, 11, 0, 30)  # noqa: DTZ001 - within the tolerance
    rows[1]["updated_at"] = datetime(2026, 1, 12)  # noqa: DTZ001
    read_at = datetime(2026, 1, 10, 12, tzinfo=UTC).isoformat()
    ahead = land(contract, rows, settings, extracted_at=read_at)
    assert judge(ahead, contract).warnings == {"updated_at:not_in_the_future": 1}


def test_every_system_has_rules_of_each_kind(contracts: dict[str, Contract]) -> None:
    """Cross-column, cross-table, volume, freshness."""
    for system in ("billing", "his", "orders", "service"):
        own = [c for c in contracts.values() if c.system == system]
        assert any(of_table.BY_HAND[system](c.table) for c in own)
        assert any(c.name in across.RULES for c in own)
        assert any(c.fresh_within for c in own)
    seen = Surroundings(size_before=5)
    assert "table:volume" in {
        rule.meta["rule"] for rule in of_table.rules(contracts["his.visits"], around=seen)
    }


def test_no_rule_beside_is_lost_when_the_other_batch_is_damaged(
    contracts: dict[str, Contract], settings: Settings
) -> None:
    """A key file that cannot be read leaves no verdict: what was not checked has not passed."""
    accounts, payments = contracts["billing.accounts"], contracts["billing.payments"]
    other = land(accounts, sound_rows(accounts, 3), settings, batch_id="s1")
    other.data.write_bytes(b"nothing")
    batch = land(payments, sound_rows(payments, 3), settings, batch_id="s1")
    with pytest.raises(gate.ValidationError):
        gate.validate(batch, payments, settings)
    assert not (batch.path / "verdict.json").exists()
