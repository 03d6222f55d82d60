"""Business rules of the order system, by hand.

In: a table's name. Out: its expectations. A critical rule holds the row back; a warning is only
reported, because the row can be used and the source may be right.
"""

from __future__ import annotations

from typing import Any

from expectations.engine import WARNING
from expectations.suites import payment_rules
from expectations.suites.rows import wrong_when


def rules(table: str) -> list[Any]:
    """The rules of a table of this system; none for a table without rules of its own."""
    return _RULES.get(table, list)()


def _customers() -> list[Any]:
    return [
        wrong_when(
            "customers:referred_by_another",
            "referred_by = customer_no",
            "Nobody refers themselves; the referral is not counted.",
            severity=WARNING,
        )
    ]


def _orders() -> list[Any]:
    return [
        wrong_when(
            "orders:cancelled_has_time",
            "order_status = 'cancelled' and cancelled_at is null",
            "Without its moment a cancellation cannot be told as of an earlier day.",
        ),
        wrong_when(
            "orders:time_has_cancellation",
            "order_status <> 'cancelled' and cancelled_at is not null",
            "An order with a moment of cancellation is cancelled.",
        ),
        wrong_when(
            "orders:cancelled_not_before_ordered",
            "cancelled_at < ordered_at",
            "An order cannot be cancelled before it was placed.",
        ),
        wrong_when(
            "orders:promised_not_before_ordered",
            "promised_date < cast(ordered_at as date)",
            "A delivery promised for before the order would always be late.",
        ),
    ]


def _order_lines() -> list[Any]:
    return [
        wrong_when(
            "order_lines:price_not_above_list",
            "unit_price > list_price",
            "A price above the list price makes a negative discount.",
            severity=WARNING,
        )
    ]


def _price_lists() -> list[Any]:
    return [
        wrong_when(
            "price_lists:ends_not_before_start",
            "valid_to < valid_from",
            "A price cannot end before it begins.",
        )
    ]


def _promotions() -> list[Any]:
    return [
        wrong_when(
            "promotions:ends_not_before_start",
            "ends_date < starts_date",
            "A promotion cannot end before it begins.",
        ),
        wrong_when(
            "promotions:discount_is_a_share",
            "discount_rate > 1",
            "The discount is a share of the list price, not a percentage.",
        ),
    ]


def _opportunities() -> list[Any]:
    return [
        wrong_when(
            "opportunities:closed_not_before_opened",
            "closed_date < opened_date",
            "An opportunity cannot be closed before it was opened.",
        ),
        wrong_when(
            "opportunities:closed_has_outcome",
            "stage = 'closed' and outcome is null",
            "A closed opportunity was won or lost.",
            severity=WARNING,
        ),
    ]


def _quotes() -> list[Any]:
    return [
        wrong_when(
            "quotes:valid_not_before_quoted",
            "valid_until < quoted_date",
            "A quote cannot lapse before it was made.",
        )
    ]


def _invoices() -> list[Any]:
    return [
        wrong_when(
            "invoices:due_not_before_issued",
            "due_date < issued_date",
            "An invoice cannot be due before it was issued.",
        )
    ]


def _invoice_events() -> list[Any]:
    return [
        wrong_when(
            "invoice_events:amount_is_given",
            "event_type in ('written_off', 'adjusted') and amount is null",
            "A write-off or adjustment without amount leaves the debt unknown.",
        ),
        wrong_when(
            "invoice_events:write_off_not_negative",
            "event_type = 'written_off' and amount < 0",
            "A write-off takes from the debt; only adjustments carry a sign.",
        ),
    ]


def _shipments() -> list[Any]:
    return [
        wrong_when(
            "shipments:delivered_not_before_shipped",
            "delivered_at < shipped_at",
            "Goods cannot arrive before they left.",
        )
    ]


def _invoice_lines() -> list[Any]:
    return [
        wrong_when(
            "invoice_lines:cancellation_is_negative",
            "starts_with(upper(invoice_no), 'C') and quantity > 0",
            "A cancellation takes goods back.",
            severity=WARNING,
        ),
        wrong_when(
            "invoice_lines:negative_is_cancellation",
            "not starts_with(upper(invoice_no), 'C') and quantity < 0",
            "Goods go back by a cancellation; otherwise stock was corrected through an invoice.",
            severity=WARNING,
        ),
    ]


_RULES = {
    "customers": _customers,
    "orders": _orders,
    "order_lines": _order_lines,
    "price_lists": _price_lists,
    "promotions": _promotions,
    "opportunities": _opportunities,
    "quotes": _quotes,
    "invoices": _invoices,
    "invoice_events": _invoice_events,
    "receipts": lambda: payment_rules.rules("receipts", "received_at"),
    "shipments": _shipments,
    "invoice_lines": _invoice_lines,
}
