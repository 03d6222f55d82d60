"""Business rules of the charging system, by hand; structural rules come from the contracts.

In: a table's name. Out: its expectations. A critical rule holds the row back; a warning is only
reported, because the row can be used and the source may be right.
"""

from __future__ import annotations

from typing import Any

from expectations.engine import WARNING
from expectations.suites import payment_rules
from expectations.suites.rows import wrong_when

_NO_SUCH_MONTH = "cast(substr(period, 6, 2) as integer) not between 1 and 12"
_WELL_FORMED = "regexp_matches(period, '^[0-9]{4}-[0-9]{2}$')"


def rules(table: str) -> list[Any]:
    """The rules of a table of this system; none for a table without rules of its own."""
    return _RULES.get(table, list)()


def _month(table: str) -> Any:
    return wrong_when(
        f"{table}:period_is_a_month",
        f"case when {_WELL_FORMED} then {_NO_SUCH_MONTH} end",
        "A billing month has a month from 01 to 12.",
    )


def _accounts() -> list[Any]:
    return [
        wrong_when(
            "accounts:closed_not_before_opened",
            "closed_date < opened_date",
            "An account cannot be closed before it was opened.",
        ),
        wrong_when(
            "accounts:referred_by_another",
            "referred_by = account_no",
            "Nobody refers themselves; the referral is not counted.",
            severity=WARNING,
        ),
    ]


def _meters() -> list[Any]:
    return [
        wrong_when(
            "meters:removed_not_before_installed",
            "removed_date < installed_date",
            "A meter cannot be removed before it was installed.",
        )
    ]


def _readings() -> list[Any]:
    return [
        _month("readings"),
        wrong_when(
            "readings:split_adds_up",
            # One unit of the last digit per part: each of the three is rounded by itself.
            "abs(peak_kwh + flat_kwh + valley_kwh - kwh) > 0.03",
            "Peak, flat and valley make up the whole.",
            severity=WARNING,
        ),
    ]


def _bills() -> list[Any]:
    return [
        _month("bills"),
        wrong_when(
            "bills:due_not_before_issued",
            "due_date < issued_date",
            "A bill cannot be due before it was issued.",
        ),
        wrong_when(
            "bills:issued_not_before_period",
            f"case when {_WELL_FORMED} then strftime(issued_date, '%Y-%m') < period end",
            "A bill is issued during or after the month it is for.",
            severity=WARNING,
        ),
    ]


def _bill_events() -> list[Any]:
    return [
        wrong_when(
            "bill_events:amount_is_given",
            "event_type in ('written_off', 'adjusted') and amount is null",
            "A write-off or adjustment without amount leaves the debt unknown.",
        ),
        wrong_when(
            "bill_events:write_off_not_negative",
            "event_type = 'written_off' and amount < 0",
            "A write-off takes from the debt; only adjustments carry a sign.",
        ),
    ]


def _supply_contracts() -> list[Any]:
    return [
        wrong_when(
            "supply_contracts:expires_not_before_signed",
            "expires_date < signed_date",
            "A contract cannot end before it was signed.",
        ),
        wrong_when(
            "supply_contracts:instalment_plan_is_whole",
            "(coalesce(instalment_count, 0) > 0) <> (coalesce(instalment_amount, 0) > 0)",
            "A plan has a number of instalments and an amount.",
            severity=WARNING,
        ),
    ]


def _inspections() -> list[Any]:
    return [
        wrong_when(
            "inspections:rectified_not_before_inspected",
            "rectified_date < inspected_date",
            "A hazard cannot be put right before it was found.",
        ),
        wrong_when(
            "inspections:due_not_before_inspected",
            "due_date < inspected_date",
            "The time to put a hazard right begins with the inspection.",
        ),
        wrong_when(
            "inspections:hazard_has_due_date",
            "hazard_found and due_date is null",
            "A hazard without a day to put it right is never overdue.",
            severity=WARNING,
        ),
    ]


def _invoices() -> list[Any]:
    return [
        wrong_when(
            "invoices:due_not_before_issued",
            "due_date < invoice_date",
            "An invoice cannot be due before it was issued.",
        ),
        wrong_when(
            "invoices:settled_not_before_issued",
            "settled_date < invoice_date",
            "An invoice cannot be settled before it was issued.",
        ),
        wrong_when(
            "invoices:days_late_agree",
            "days_late <> greatest(0, settled_date - due_date)",
            "The file's own count of late days follows from its dates.",
            severity=WARNING,
        ),
    ]


_RULES = {
    "accounts": _accounts,
    "meters": _meters,
    "readings": _readings,
    "bills": _bills,
    "bill_events": _bill_events,
    "payments": lambda: payment_rules.rules("payments", "paid_at"),
    "supply_contracts": _supply_contracts,
    "inspections": _inspections,
    "invoices": _invoices,
}
