"""Each rule by hand holds back, or reports, exactly the rows that were planted against it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from expectations.engine import CRITICAL, name_of
from expectations.suites import of_table
from extract.contract import Contract
from extract.landing import Batch, Verdict
from kehu.settings import Settings
from tests.expectations.landed import land, passed, quarantined, sound_rows

Judge = Callable[[Batch, Contract], Verdict]

DAY = date(2026, 1, 10)
EARLIER = DAY - timedelta(days=1)
AT = datetime(2026, 1, 10, 9, 0)  # noqa: DTZ001 - sources keep local time
BEFORE = AT - timedelta(minutes=1)
AFTER = AT + timedelta(days=1)
ONE, TWO = Decimal("1.00"), Decimal("2.00")

# table -> rule -> the cells that break it, in a row that is sound otherwise
PLANTED: dict[str, dict[str, dict[str, Any]]] = {
    "billing.accounts": {
        "accounts:closed_not_before_opened": {"closed_date": EARLIER},
        "accounts:referred_by_another": {"referred_by": "account_no-2"},
    },
    "billing.meters": {"meters:removed_not_before_installed": {"removed_date": EARLIER}},
    "billing.readings": {
        "readings:period_is_a_month": {"period": "2026-13"},
        "readings:split_adds_up": {"peak_kwh": ONE, "flat_kwh": ONE, "valley_kwh": ONE},
    },
    "billing.bills": {
        "bills:period_is_a_month": {"period": "2025-00"},
        "bills:due_not_before_issued": {"due_date": EARLIER},
        "bills:issued_not_before_period": {"period": "2026-02"},
    },
    "billing.bill_events": {
        "bill_events:amount_is_given": {"event_type": "written_off"},
        "bill_events:write_off_not_negative": {"event_type": "written_off", "amount": -ONE},
    },
    "billing.payments": {
        "payments:settled_not_before_paid": {"settled_at": BEFORE},
        "payments:reversed_not_before_paid": {"reversed_at": BEFORE, "reversal_reason": "bounced"},
        "payments:paid_not_in_the_future": {"paid_at": AFTER},
        "payments:reversal_has_reason": {"reversed_at": AT},
        "payments:reason_has_reversal": {"reversal_reason": "bounced"},
    },
    "billing.supply_contracts": {
        "supply_contracts:expires_not_before_signed": {"expires_date": EARLIER},
        "supply_contracts:instalment_plan_is_whole": {"instalment_count": 3},
    },
    "billing.inspections": {
        "inspections:rectified_not_before_inspected": {"rectified_date": EARLIER},
        "inspections:due_not_before_inspected": {"due_date": EARLIER},
        "inspections:hazard_has_due_date": {"hazard_found": True},
    },
    "billing.invoices": {
        "invoices:due_not_before_issued": {"due_date": EARLIER},
        "invoices:settled_not_before_issued": {"settled_date": EARLIER},
        "invoices:days_late_agree": {"settled_date": DAY, "days_late": 4},
    },
    "his.patients": {
        "patients:born_before_registered": {"birth_date": DAY + timedelta(days=1)},
        "patients:birth_date_agrees_with_identity_number": {
            "identity_no": "11010519491231002X",
            "birth_date": date(1950, 12, 31),
        },
    },
    "his.visits": {
        "visits:discharged_not_before_admitted": {"discharged_at": BEFORE},
        "visits:condition_has_discharge": {"discharge_condition": "cured"},
        "visits:organisation_pays_for_check_ups": {"payer_kind": "group_client"},
    },
    "his.charges": {
        "charges:parts_make_amount": {"self_pay_amount": Decimal("0.99")},
        "charges:parts_have_one_sign": {"insurer_amount": TWO, "self_pay_amount": -ONE},
    },
    "his.settlements": {
        "settlements:settled_not_before_paid": {"settled_at": BEFORE},
        "settlements:reversed_not_before_paid": {
            "reversed_at": BEFORE,
            "reversal_reason": "mistake",
        },
        "settlements:paid_not_in_the_future": {"paid_at": AFTER},
        "settlements:reversal_has_reason": {"reversed_at": AT},
        "settlements:reason_has_reversal": {"reversal_reason": "mistake"},
    },
    "his.appointments": {"appointments:slot_not_before_booking": {"slot_at": BEFORE}},
    "orders.customers": {"customers:referred_by_another": {"referred_by": "customer_no-2"}},
    "orders.orders": {
        "orders:cancelled_has_time": {"order_status": "cancelled"},
        "orders:time_has_cancellation": {"cancelled_at": AT},
        "orders:cancelled_not_before_ordered": {
            "order_status": "cancelled",
            "cancelled_at": BEFORE,
        },
        "orders:promised_not_before_ordered": {"promised_date": EARLIER},
    },
    "orders.order_lines": {"order_lines:price_not_above_list": {"list_price": Decimal("0.5")}},
    "orders.price_lists": {"price_lists:ends_not_before_start": {"valid_to": EARLIER}},
    "orders.promotions": {
        "promotions:ends_not_before_start": {"ends_date": EARLIER},
        "promotions:discount_is_a_share": {"discount_rate": Decimal("15")},
    },
    "orders.opportunities": {
        "opportunities:closed_not_before_opened": {"closed_date": EARLIER},
        "opportunities:closed_has_outcome": {"stage": "closed"},
    },
    "orders.quotes": {"quotes:valid_not_before_quoted": {"valid_until": EARLIER}},
    "orders.invoices": {"invoices:due_not_before_issued": {"due_date": EARLIER}},
    "orders.invoice_events": {
        "invoice_events:amount_is_given": {"event_type": "adjusted"},
        "invoice_events:write_off_not_negative": {"event_type": "written_off", "amount": -ONE},
    },
    "orders.receipts": {
        "receipts:settled_not_before_paid": {"settled_at": BEFORE},
        "receipts:reversed_not_before_paid": {
            "reversed_at": BEFORE,
            "reversal_reason": "duplicate",
        },
        "receipts:paid_not_in_the_future": {"received_at": AFTER},
        "receipts:reversal_has_reason": {"reversed_at": AT},
        "receipts:reason_has_reversal": {"reversal_reason": "duplicate"},
    },
    "orders.shipments": {"shipments:delivered_not_before_shipped": {"delivered_at": BEFORE}},
    "orders.invoice_lines": {
        "invoice_lines:cancellation_is_negative": {"invoice_no": "C536365", "quantity": 1},
        "invoice_lines:negative_is_cancellation": {"quantity": -1},
    },
    "service.callers": {"callers:named_record_is_whole": {"named_system": "his"}},
    "service.complaints": {
        "complaints:answered_not_before_opened": {"answered_at": BEFORE},
        "complaints:closed_not_before_opened": {"closed_at": BEFORE},
        "complaints:satisfied_when_closed": {"satisfied": True},
    },
    "service.follow_ups": {"follow_ups:answered_not_before_sent": {"answered_at": BEFORE}},
    "service.consultations": {"consultations:answered_not_before_asked": {"answered_at": BEFORE}},
    "service.campaigns": {"campaigns:ends_not_before_start": {"ends_date": EARLIER}},
    "service.campaign_contacts": {
        "campaign_contacts:responded_not_before_contacted": {"responded_at": BEFORE}
    },
    "steward.identity_decisions": {
        "identity_decisions:two_records_in_order": {
            "decision_id": hashlib.md5(b"his|1|billing|1").hexdigest(),
            "left_source_system": "his",
            "left_source_record_id": "1",
            "right_source_system": "billing",
            "right_source_record_id": "1",
        },
        "identity_decisions:id_is_of_the_pair": {"left_source_record_id": "another"},
    },
}


@pytest.mark.parametrize("name", PLANTED)
def test_each_rule_finds_what_was_planted_and_nothing_else(
    name: str, contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    contract, planted = contracts[name], PLANTED[name]
    rows = sound_rows(contract, 12)
    # the k-th rule is broken by k rows, so that mixed-up rules show in the counts
    expected: Counter[str] = Counter()
    position = 1
    for times, (rule, cells) in enumerate(planted.items(), start=1):
        for _ in range(times if position + times <= len(rows) else 1):
            rows[position] |= cells
            if "referred_by" in cells:
                rows[position]["referred_by"] = rows[position][contract.key[0]]
            expected[rule] += 1
            position += 1
    batch = land(contract, rows, settings)

    verdict = judge(batch, contract)

    severities = {name_of(r): r.severity.value for r in of_table.rules(contract)}
    critical = {rule: n for rule, n in expected.items() if severities[rule] == CRITICAL}
    assert verdict.reasons == critical
    assert verdict.warnings == {r: n for r, n in expected.items() if r not in critical}
    assert Counter(row["_reasons"] for row in quarantined(batch)) == critical
    assert len(passed(batch)) + len(quarantined(batch)) == len(rows)


def test_every_rule_by_hand_is_planted_here(contracts: dict[str, Contract]) -> None:
    by_hand = {
        (contract.name, name_of(rule))
        for contract in contracts.values()
        if contract.system in of_table.BY_HAND
        for rule in of_table.BY_HAND[contract.system](contract.table)
    }
    assert by_hand == {(table, rule) for table, rules in PLANTED.items() for rule in rules}


def test_rules_by_hand_have_tables(contracts: dict[str, Contract]) -> None:
    from expectations.suites import billing, his, orders, service, steward

    for module in (billing, his, orders, service, steward):
        system = module.__name__.rsplit(".", 1)[-1]
        assert {f"{system}.{table}" for table in module._RULES} <= contracts.keys()


def test_sound_rows_of_tables_without_rules_by_hand_pass(
    contracts: dict[str, Contract], settings: Settings, judge: Judge
) -> None:
    for contract in (contracts[name] for name in contracts.keys() - PLANTED):
        verdict = judge(land(contract, sound_rows(contract, 3), settings), contract)
        assert (verdict.reasons, verdict.warnings) == ({}, {}), contract.name
        assert verdict.passed_rows == verdict.landed_rows == 3
