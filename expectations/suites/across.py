"""Business rules between two tables of one system, by hand.

In: a table's name and the views of the other tables in the same extraction. Out: expectations. A
rule is judged for the rows whose counterpart was read in the same extraction: both come from one
snapshot, so neither can be older than the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expectations.engine import CRITICAL, WARNING
from expectations.suites.beside import wrong_beside


@dataclass(frozen=True)
class Across:
    """A row is wrong beside its counterpart in `other`, which has the same `same`."""

    rule: str
    other: str
    same: str
    condition: str
    why: str
    severity: str = CRITICAL


def rules(table: str, views: Mapping[str, str]) -> list[Any]:
    """The rules of `<system>.<table>` for which the other table was read, too."""
    return [
        wrong_beside(
            each.rule,
            views[each.other],
            each.same,
            each.condition,
            each.why,
            severity=each.severity,
        )
        for each in RULES.get(table, ())
        if each.other in views
    ]


RULES: Mapping[str, tuple[Across, ...]] = {
    "billing.bill_events": (
        Across(
            "bill_events:not_before_bill",
            "billing.bills",
            "bill_no",
            "cast(this.event_at as date) < other.issued_date",
            "Nothing happens to a bill before it is issued.",
        ),
    ),
    "billing.payments": (
        Across(
            "payments:currency_of_bill",
            "billing.bills",
            "bill_no",
            "this.currency_code <> other.currency_code",
            "A payment in another currency cannot settle the bill it names.",
        ),
        Across(
            "payments:account_of_bill",
            "billing.bills",
            "bill_no",
            "this.account_no <> other.account_no",
            "Somebody pays another account's bill; it may be meant.",
            WARNING,
        ),
    ),
    "his.visits": (
        Across(
            "visits:patient_registered_before",
            "his.patients",
            "patient_no",
            "cast(this.admitted_at as date) < other.registered_date",
            "A patient is registered at the first visit at the latest.",
            WARNING,
        ),
    ),
    "his.settlements": (
        Across(
            "settlements:not_before_admission",
            "his.visits",
            "visit_no",
            "cast(this.paid_at as date) < cast(other.admitted_at as date)",
            "A visit is paid for before it began: a deposit, or the wrong visit.",
            WARNING,
        ),
    ),
    "orders.shipments": (
        Across(
            "shipments:not_before_order",
            "orders.orders",
            "order_no",
            "this.shipped_at < other.ordered_at",
            "Nothing is shipped before it is ordered.",
        ),
    ),
    "orders.invoices": (
        Across(
            "invoices:customer_of_order",
            "orders.orders",
            "order_no",
            "this.customer_no <> other.customer_no",
            "An order is invoiced to another customer; it may be meant.",
            WARNING,
        ),
    ),
    "orders.receipts": (
        Across(
            "receipts:currency_of_invoice",
            "orders.invoices",
            "invoice_no",
            "this.currency_code <> other.currency_code",
            "A receipt in another currency cannot settle the invoice it names.",
        ),
    ),
    "service.campaign_contacts": (
        Across(
            "campaign_contacts:not_before_campaign",
            "service.campaigns",
            "campaign_no",
            "cast(this.contacted_at as date) < other.starts_date",
            "Somebody was contacted before the campaign began.",
            WARNING,
        ),
    ),
}
