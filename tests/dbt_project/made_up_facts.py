"""Facts of some customers over two years, drawn at random with a fixed seed.

In: nothing. Out: rows per table of the core layer with the columns that metrics read, and SQL that
makes these tables, forgets everything after a day, and stands in for the core models.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

FIRST, LAST = date(2024, 1, 1), date(2026, 2, 20)
CUSTOMERS = [f"c{number:02}" for number in range(40)]

COLUMNS = {
    "int_customers": "customer_id varchar, customer_type varchar, first_seen_date date",
    "dim_customers": "customer_id varchar, customer_type varchar, display_name varchar,"
    " region varchar, first_seen_date date, source_count integer, in_billing boolean,"
    " in_his boolean, in_orders boolean, in_service boolean",
    "bridge_customer_records": "source_system varchar, customer_id varchar, valid_to date",
    "fct_transactions": "transaction_key varchar, customer_id varchar, source_system varchar,"
    " document_no varchar, transaction_kind varchar, transaction_date date, cancelled_date date,"
    " product_code varchar, product_class varchar, quantity decimal(18,3),"
    " unit_price decimal(18,4),"
    " list_amount decimal(18,4), gross_amount decimal(18,4), margin_amount decimal(18,4),"
    " currency_code varchar",
    "fct_receivables": "receivable_key varchar, customer_id varchar, source_system varchar,"
    " issued_date date, due_date date, amount decimal(18,2), currency_code varchar",
    "fct_receipts": "receipt_key varchar, receivable_key varchar, customer_id varchar,"
    " amount decimal(18,2), currency_code varchar, paid_date date, settled_date date,"
    " reversed_date date, reversal_reason varchar",
    "fct_receivable_events": "receivable_event_key varchar, receivable_key varchar,"
    " customer_id varchar,"
    " event_type varchar, event_date date, amount decimal(18,2)",
    "dim_accounts": "customer_id varchar, account_kind varchar, opened_date date,"
    " closed_date date, usage_category varchar, importance_class varchar,"
    " supply_voltage_kv decimal(18,2), contracted_capacity_kva decimal(18,2),"
    " estimated_annual_demand decimal(18,2), currency_code varchar, payment_mode varchar,"
    " contract_kind varchar, tenure_months integer, monthly_charges decimal(18,2),"
    " is_churned boolean",
    "dim_products": "product_code varchar, product_name varchar, product_class varchar,"
    " stock_quantity decimal(18,2)",
    "fct_readings": "customer_id varchar, read_date date, kwh decimal(18,2)",
    "fct_contracts": "customer_id varchar, signed_date date, expires_date date,"
    " guarantee_amount decimal(18,2), currency_code varchar",
    "fct_contacts": "customer_id varchar, channel varchar, contact_date date,"
    " cost_amount decimal(18,2), currency_code varchar",
    "fct_activities": "customer_id varchar, activity_date date, cost_amount decimal(18,2),"
    " currency_code varchar",
    "fct_complaints": "customer_id varchar, complaint_kind varchar, opened_date date,"
    " closed_date date, satisfied boolean",
    "fct_survey_answers": "customer_id varchar, dimension varchar, score integer,"
    " answered_date date",
    "fct_follow_ups": "customer_id varchar, sent_date date, answered_date date",
    "fct_dunnings": "customer_id varchar, sent_date date",
    "fct_violations": "customer_id varchar, violation_kind varchar, occurred_date date",
    "fct_inspections": "customer_id varchar, inspected_date date, hazard_found boolean,"
    " rectified_date date",
    "fct_referrals": "customer_id varchar, referred_customer_id varchar, referred_date date",
    "fct_leads": "lead_key varchar, lead_source varchar, created_date date",
    "fct_opportunities": "opportunity_key varchar, lead_key varchar, customer_id varchar,"
    " outcome varchar, opened_date date, closed_date date, expected_amount decimal(18,2),"
    " currency_code varchar",
    "fct_quotes": "quote_key varchar, opportunity_key varchar, quoted_date date,"
    " amount decimal(18,2), currency_code varchar",
    "fct_quoted_orders": "order_key varchar, quote_key varchar, ordered_date date,"
    " cancelled_date date, amount decimal(18,2), invoiced_date date,"
    " invoiced_amount decimal(18,2), currency_code varchar",
}
HAPPENED = {
    "fct_transactions": "transaction_date",
    "fct_receivables": "issued_date",
    "fct_receipts": "paid_date",
    "fct_receivable_events": "event_date",
    "dim_accounts": "opened_date",
    "fct_readings": "read_date",
    "fct_contracts": "signed_date",
    "fct_contacts": "contact_date",
    "fct_activities": "activity_date",
    "fct_complaints": "opened_date",
    "fct_survey_answers": "answered_date",
    "fct_follow_ups": "sent_date",
    "fct_dunnings": "sent_date",
    "fct_violations": "occurred_date",
    "fct_inspections": "inspected_date",
    "fct_referrals": "referred_date",
    "fct_leads": "created_date",
    "fct_opportunities": "opened_date",
    "fct_quotes": "quoted_date",
    "fct_quoted_orders": "ordered_date",
}
"""The day on which a row becomes known."""

Rows = dict[str, list[dict[str, Any]]]


def draw() -> Rows:
    """All facts, the same every time."""
    chance = random.Random(11)
    rows: Rows = {table: [] for table in COLUMNS}

    def day() -> date:
        return FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))

    def later(start: date, most: int) -> date:
        return start + timedelta(days=chance.randrange(most))

    for number, customer in enumerate(CUSTOMERS):
        seen = FIRST if number % 4 else date(2025, 8, 1)
        known = {"customer_id": customer, "first_seen_date": seen}
        rows["int_customers"].append(known)
        rows["dim_customers"].append(
            {**known, "customer_type": "person", "source_count": 1, "in_billing": True}
        )
        rows["bridge_customer_records"].append(
            {"source_system": "billing", "customer_id": customer}
        )
        if number % 5 == 4:
            continue
        for order in range(chance.randrange(8)):
            bought = max(day(), seen)
            undone = chance.random() < 0.25
            for line in range(1 + chance.randrange(2)):
                amount = chance.randrange(100, 90000) / 100
                rows["fct_transactions"].append(
                    {
                        "transaction_key": f"{customer}-{order}-{line}",
                        "customer_id": customer,
                        "source_system": "orders",
                        "document_no": f"{customer}-{order}",
                        "transaction_kind": "cancellation" if undone else "sale",
                        "transaction_date": bought,
                        "cancelled_date": later(bought, 200) if undone else None,
                        "product_class": chance.choice("abc"),
                        "quantity": chance.choice((1, 2, -1)),
                        "unit_price": amount,
                        "list_amount": amount * 2,
                        "gross_amount": amount,
                        "margin_amount": amount / 4,
                        "currency_code": "CNY",
                    }
                )
        for month in range(24 if number % 3 else 6):
            issued = seen + timedelta(days=30 * month)
            if issued > LAST:
                break
            key, amount = f"{customer}|{month}", chance.randrange(1000, 50000) / 100
            rows["fct_receivables"].append(
                {
                    "receivable_key": key,
                    "customer_id": customer,
                    "source_system": "billing",
                    "issued_date": issued,
                    "due_date": issued + timedelta(days=20),
                    "amount": amount,
                    "currency_code": "CNY",
                }
            )
            parts = chance.choice((0, 1, 1, 1, 2))
            for part in range(parts):
                paid = later(issued, 45)
                settled = later(paid, 4) if chance.random() < 0.9 else None
                bounced = settled is not None and chance.random() < 0.15
                rows["fct_receipts"].append(
                    {
                        "receipt_key": f"{key}|{part}",
                        "receivable_key": key,
                        "customer_id": customer,
                        "amount": round(amount / parts, 2),
                        "currency_code": "CNY",
                        "paid_date": paid,
                        "settled_date": settled,
                        "reversed_date": later(settled, 60) if bounced and settled else None,
                        "reversal_reason": "bounced" if bounced else None,
                    }
                )
            if parts == 0 and chance.random() < 0.3:
                rows["fct_receivable_events"].append(
                    {
                        "receivable_event_key": f"{key}-off",
                        "receivable_key": key,
                        "customer_id": customer,
                        "event_type": "written_off",
                        "event_date": later(issued, 300),
                        "amount": amount,
                    }
                )
        rows["dim_accounts"].append(
            {
                "customer_id": customer,
                "account_kind": "supply",
                "opened_date": seen,
                "closed_date": day() if chance.random() < 0.1 else None,
                "usage_category": chance.choice(("residential", "industrial")),
                "importance_class": chance.choice(("first", "ordinary")),
                "supply_voltage_kv": 10,
                "contracted_capacity_kva": 50,
                "estimated_annual_demand": 9000,
                "currency_code": "CNY",
            }
        )
        for _ in range(chance.randrange(5)):
            who = {"customer_id": customer}
            cost = {"cost_amount": chance.randrange(900) / 100, "currency_code": "CNY"}
            rows["fct_readings"].append({**who, "read_date": day(), "kwh": chance.randrange(500)})
            rows["fct_contacts"].append(
                {**who, "channel": chance.choice("xyz"), "contact_date": day(), **cost}
            )
            rows["fct_activities"].append({**who, "activity_date": day(), **cost})
            opened = day()
            rows["fct_complaints"].append(
                {
                    **who,
                    "complaint_kind": chance.choice(("complaint", "praise")),
                    "opened_date": opened,
                    "closed_date": later(opened, 90),
                    "satisfied": chance.random() < 0.5,
                }
            )
            rows["fct_survey_answers"].append(
                {
                    **who,
                    "dimension": chance.choice(("satisfaction", "loyalty")),
                    "score": chance.randrange(1, 6),
                    "answered_date": day(),
                }
            )
            sent = day()
            rows["fct_follow_ups"].append(
                {**who, "sent_date": sent, "answered_date": later(sent, 30)}
            )
            rows["fct_dunnings"].append({**who, "sent_date": day()})
            rows["fct_violations"].append(
                {
                    **who,
                    "violation_kind": chance.choice(("contract", "metering")),
                    "occurred_date": day(),
                }
            )
            found = day()
            rows["fct_inspections"].append(
                {
                    **who,
                    "inspected_date": found,
                    "hazard_found": chance.random() < 0.7,
                    "rectified_date": later(found, 120),
                }
            )
            rows["fct_referrals"].append(
                {
                    **who,
                    "referred_customer_id": chance.choice(CUSTOMERS),
                    "referred_date": day(),
                }
            )
            rows["fct_contracts"].append(
                {
                    **who,
                    "signed_date": day(),
                    "expires_date": day(),
                    "guarantee_amount": 100,
                    "currency_code": "CNY",
                }
            )
    _draw_sales(rows, day, later)
    return rows


def _draw_sales(rows: Rows, day: Callable[[], date], later: Callable[[date, int], date]) -> None:
    """Sales by every customer, half of them from a lead; each second one stops before the next."""
    for number, customer in enumerate(CUSTOMERS):
        met = day()
        money = {"currency_code": "CNY"}
        lead, opportunity = f"l{number}", f"o{number}"
        if number % 2:
            rows["fct_leads"].append({"lead_key": lead, "lead_source": "fair", "created_date": met})
        opened = later(met, 30)
        closed = later(opened, 200) if number % 3 else None
        rows["fct_opportunities"].append(
            {
                "opportunity_key": opportunity,
                "lead_key": lead if number % 2 else None,
                "customer_id": customer,
                "outcome": None if closed is None else "won" if number % 4 else "lost",
                "opened_date": opened,
                "closed_date": closed,
                "expected_amount": 100 + number,
                **money,
            }
        )
        if number % 4 == 0:
            continue
        quoted = later(opened, 20)
        quote = {"quote_key": f"q{number}", "opportunity_key": opportunity}
        rows["fct_quotes"].append({**quote, "quoted_date": quoted, "amount": 90 + number, **money})
        if closed is None:
            continue
        rows["fct_quoted_orders"].append(
            {
                "order_key": f"d{number}",
                "quote_key": f"q{number}",
                "ordered_date": closed,
                "cancelled_date": later(closed, 20) if number % 5 == 0 else None,
                "amount": 80 + number,
                "invoiced_date": later(closed, 9) if number % 5 else None,
                "invoiced_amount": 80 + number if number % 5 else None,
                **money,
            }
        )


def statements(rows: Rows) -> list[str]:
    """SQL that makes the tables of the schema facts."""
    made = ["create schema facts"]
    for table, columns in COLUMNS.items():
        made.append(f"create table facts.{table} ({columns})")
        names = [column.split()[0] for column in columns.split(", ")]
        if rows[table]:
            cells = ", ".join(
                "(" + ", ".join(_literal(row.get(name)) for name in names) + ")"
                for row in rows[table]
            )
            made.append(f"insert into facts.{table} values {cells}")
    return made


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value)
    return f"'{value}'"


LEARNED_LATER = {
    "fct_transactions": ("cancelled_date",),
    "fct_receipts": ("settled_date", "reversed_date"),
    "dim_accounts": ("closed_date",),
    "fct_complaints": ("closed_date",),
    "fct_follow_ups": ("answered_date",),
    "fct_inspections": ("rectified_date",),
    "fct_opportunities": ("closed_date",),
    "fct_quoted_orders": ("cancelled_date", "invoiced_date"),
}
"""Days of a fact that were not known when it happened."""


def known(table: str, day: str, source: str) -> str:
    """SQL of what was known on `day` of `table`, which is read from `source`."""
    columns = [
        f"case when {column} <= '{day}' then {column} end as {column}"
        for column in LEARNED_LATER.get(table, ())
    ]
    if table == "fct_transactions":
        columns.append(
            f"case when cancelled_date > '{day}' then 'sale' else transaction_kind end"
            " as transaction_kind"
        )
    replaced = f" replace ({', '.join(columns)})" if columns else ""
    happened = f" where {HAPPENED[table]} <= '{day}'" if table in HAPPENED else ""
    return f"select *{replaced} from {source}{happened}"


def forgetting(day: str) -> list[str]:
    """SQL that takes away whatever was not known on `day`."""
    return [
        f"create or replace table facts.{table} as {known(table, day, f'facts.{table}')}"
        for table in HAPPENED
    ]


def stand_ins() -> dict[str, str]:
    """Core models that read the tables of the schema facts."""
    views = {table: f"select * from facts.{table}" for table in COLUMNS}
    views["fct_receipts"] = (
        "select receipts.*, receivables.source_system, false as names_unknown_debt"
        " from facts.fct_receipts as receipts"
        " left join facts.fct_receivables as receivables using (receivable_key)"
    )
    views["int_amounts_due"] = (
        "select *, greatest(amount, 0) as due_amount from facts.fct_receivables"
    )
    # each receipt names its debt, and no two of them pay more than is due
    views["fct_receipt_allocations"] = (
        "select receipt_key, receivable_key, amount as allocated_amount,"
        " 'named' as allocation_kind, paid_date,"
        " settled_date, reversed_date from facts.fct_receipts"
    )
    views["dim_dates"] = (
        "select cast(day as date) as date_day"
        " from generate_series(date '2020-01-01', date '2026-12-31', interval 1 day) as days(day)"
    )
    views["dim_exchange_rates"] = (
        "select 'CNY' as from_currency, 'CNY' as to_currency, date '1900-01-01' as valid_from,"
        " cast(null as date) as valid_to, cast(1 as decimal(18, 6)) as rate"
    )
    return views
