"""Metrics against another way of telling them: fact by fact, in Python, for one date at a time."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

from tests.dbt_project import made_up_facts
from tests.dbt_project.conftest import AS_OF_DATES
from tests.dbt_project.scratch_warehouse import ScratchWarehouse

Row = dict[str, Any]


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1)


def _months_before(day: date) -> list[date]:
    """The day and the same day of eleven months before, the last one of a shorter month."""
    days = []
    for back in range(12):
        year, month = divmod(day.year * 12 + day.month - 1 - back, 12)
        following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
        last = (following - timedelta(days=1)).day
        days.append(date(year, month + 1, min(day.day, last)))
    return days


def _purchases(rows: list[Row], day: date) -> Row:
    counted = [
        row
        for row in rows
        if row["quantity"] > 0
        and row["transaction_date"] <= day
        and (row["cancelled_date"] is None or row["cancelled_date"] > day)
    ]
    if not counted:
        return {}
    first_day: dict[str, date] = {}
    for row in counted:
        known = first_day.get(row["document_no"], row["transaction_date"])
        first_day[row["document_no"]] = min(known, row["transaction_date"])
    days = sorted({row["transaction_date"] for row in counted})
    gaps = [(after - before).days for before, after in pairwise(days)]
    start = _year_before(day)
    return {
        "recency_days": (day - days[-1]).days,
        "frequency_total": len(first_day),
        "frequency_12m": sum(1 for first in first_day.values() if first > start),
        "monetary_total": sum(row["gross_amount"] for row in counted),
        "monetary_12m": sum(
            row["gross_amount"] for row in counted if row["transaction_date"] > start
        ),
        "product_class_count": len({row["product_class"] for row in counted}),
        "order_interval_mean": mean(gaps) if gaps else None,
        "order_interval_cv": stdev(gaps) / mean(gaps) if len(gaps) > 1 else None,
    }


class _Debt:
    """One debt with its payments and write-offs, asked for any day."""

    def __init__(self, row: Row, receipts: list[Row], events: list[Row]) -> None:
        self.row, self.receipts, self.events = row, receipts, events

    def paid(self, day: date) -> float:
        return sum(
            receipt["amount"]
            for receipt in self.receipts
            if receipt["settled_date"]
            and receipt["settled_date"] <= day
            and not (receipt["reversed_date"] and receipt["reversed_date"] <= day)
        )

    def open(self, day: date) -> float:
        gone = sum(event["amount"] for event in self.events if event["event_date"] <= day)
        return max(round(self.row["amount"] - self.paid(day) - gone, 2), 0)

    def settled(self, day: date) -> date | None:
        """Since when it has been paid without a break, as of `day`."""
        if round(self.row["amount"] - self.paid(day), 2) > 0:
            return None
        since = day
        while since > self.row["issued_date"]:
            before = since - timedelta(days=1)
            if round(self.row["amount"] - self.paid(before), 2) > 0:
                break
            since = before
        return since


def _payment(debts: list[_Debt], day: date) -> Row:
    issued = [debt for debt in debts if debt.row["issued_date"] <= day]
    if not issued:
        return {}
    start = _year_before(day)
    billed = [debt for debt in issued if debt.row["issued_date"] > start]
    due = [debt for debt in issued if start < debt.row["due_date"] <= day]
    late = [
        max((settled - debt.row["due_date"]).days, 0)
        for debt in due
        if (settled := debt.settled(day))
    ]
    overdue = [debt for debt in issued if debt.open(day) > 0 and debt.row["due_date"] < day]
    unpaid = [
        max((day - debt.row["due_date"]).days, 0)
        for debt in issued
        if not debt.settled(day) and (debt in due or debt.open(day) > 0)
    ]
    # a debt that is settled but not yet due has no delay to speak of
    on_time = [
        debt for debt in due
        if (settled := debt.settled(day)) and settled <= debt.row["due_date"]
    ]  # fmt: skip
    return {
        "billed_12m": sum(debt.row["amount"] for debt in billed) if billed else None,
        "collected_12m": (
            sum(min(debt.paid(day), debt.row["amount"]) for debt in billed) if billed else None
        ),
        "on_time_share": len(on_time) / len(due) if due else None,
        "days_late_mean": mean(late) if late else None,
        "days_late_max": max(late + unpaid) if late or unpaid else None,
        "open_amount": sum(debt.open(day) for debt in issued),
        "overdue_amount": sum(debt.open(day) for debt in overdue),
        "overdue_count": len(overdue),
        "overdue_days_max": (
            max((day - debt.row["due_date"]).days for debt in overdue) if overdue else None
        ),
        "arrears_months_12m": sum(
            1
            for point in _months_before(day)
            if any(
                debt.row["issued_date"] <= point
                and debt.row["due_date"] < point
                and debt.open(point) > 0
                for debt in debts
            )
        ),
        "in_transit_amount": sum(
            receipt["amount"]
            for debt in debts
            for receipt in debt.receipts
            if receipt["paid_date"] <= day
            and not (receipt["settled_date"] and receipt["settled_date"] <= day)
            and not (receipt["reversed_date"] and receipt["reversed_date"] <= day)
        ),
    }


@pytest.fixture(scope="module")
def expected() -> dict[tuple[str, str], Row]:
    """As-of date and customer to the metrics that can be told fact by fact."""
    rows = made_up_facts.draw()
    by_customer: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for table in ("fct_transactions", "fct_receivables"):
        for row in rows[table]:
            by_customer[row["customer_id"]][table].append(row)
    by_debt: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for table in ("fct_receipts", "fct_receivable_events"):
        for row in rows[table]:
            by_debt[row["receivable_key"]][table].append(row)
    told: dict[tuple[str, str], Row] = {}
    for text in AS_OF_DATES:
        day = date.fromisoformat(text)
        for customer in rows["int_customers"]:
            if customer["first_seen_date"] > day:
                continue
            own = by_customer[customer["customer_id"]]
            debts = [
                _Debt(row, pieces["fct_receipts"], pieces["fct_receivable_events"])
                for row in own["fct_receivables"]
                for pieces in [by_debt[row["receivable_key"]]]
            ]
            told[text, customer["customer_id"]] = {
                "tenure_days": (day - customer["first_seen_date"]).days,
                **_purchases(own["fct_transactions"], day),
                **_payment(debts, day),
            }
    return told


METRICS = (
    "tenure_days", "recency_days", "frequency_total", "frequency_12m", "monetary_total",
    "monetary_12m", "product_class_count", "order_interval_mean", "order_interval_cv",
    "billed_12m", "collected_12m", "on_time_share", "days_late_mean", "days_late_max",
    "open_amount", "overdue_amount", "overdue_count", "overdue_days_max", "arrears_months_12m",
    "in_transit_amount",
)  # fmt: skip


@pytest.mark.parametrize("metric", METRICS)
def test_metric_equals_the_sum_over_facts(
    marts: ScratchWarehouse, expected: dict[tuple[str, str], Row], metric: str
) -> None:
    found = {
        (day, customer): value
        for day, customer, value in marts.query(
            f"select cast(as_of_date as varchar), customer_id, cast({metric} as double)"
            " from value.customer_metrics"
        )
    }
    assert found.keys() == expected.keys()
    wanted = {key: row.get(metric) for key, row in expected.items()}
    assert any(value for value in wanted.values()), "the facts touch this metric"
    different = {
        key: (found[key], value)
        for key, value in wanted.items()
        if (value is None) != (found[key] is None)
        or (value is not None and found[key] != pytest.approx(value, abs=0.006))
    }
    assert different == {}


def test_a_past_date_does_not_see_what_came_later(marts: ScratchWarehouse, tmp_path: Path) -> None:
    """The row of a date is the same when everything after it is forgotten."""
    day = AS_OF_DATES[1]
    query = f"select * from value.customer_metrics where as_of_date = '{day}' order by customer_id"
    with_future = marts.query(query)
    past = marts.copy(tmp_path / "past")
    past.execute(*made_up_facts.forgetting(day))
    past.build("--select", "core", "metrics", "--exclude", "resource_type:test",
               as_of_dates=[day])  # fmt: skip
    assert past.query("select distinct as_of_date from value.customer_metrics") == [
        (date.fromisoformat(day),)
    ]
    assert past.query(query) == with_future
    assert len(with_future) > 30
