"""Allocation, positions and ageing on tables that are not ours, through the very SQL of a build."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.ageing.build import MODELS
from kehu.settings import CLONE
from tests.dbt_project.scratch_warehouse import PROJECT, ScratchWarehouse

INVOICES = CLONE / "tests/data/accounts_receivable/WA_Fn-UseC_-Accounts-Receivable.csv.gz"
DATES = ("2012-12-31", "2013-06-30", "2014-12-31")
STAND_INS = {
    "int_credit_dates": "select as_of_date from {{ ref('int_as_of_dates') }}",
    "int_stale_debts": "select cast(null as varchar) as receivable_key where 1 = 0",
    "fct_receivables": "select * from made_up.receivables",
    "int_receivables": "select * from made_up.receivables",
    "fct_receipts": "select receipts.* replace (debts.receivable_key as receivable_key),"
    " receipts.receivable_key is not null and debts.receivable_key is null as names_unknown_debt"
    " from made_up.receipts as receipts left join made_up.receivables as debts"
    " on receipts.receivable_key = debts.receivable_key",
    "fct_receivable_events": "select * from made_up.events",
    "int_exchange_rates": "select 'CNY' as from_currency, date '1900-01-01' as valid_from,"
    " cast(null as date) as valid_to, 1.0 as rate",
}
TABLES = (
    "create schema made_up",
    (
        "create table made_up.receivables (receivable_key varchar, customer_id varchar,"
        " source_system varchar, issued_date date, due_date date, amount decimal(18,2),"
        " currency_code varchar)"
    ),
    (
        "create table made_up.receipts (receipt_key varchar, receivable_key varchar,"
        " customer_id varchar, source_system varchar, amount decimal(18,2), currency_code varchar,"
        " paid_at timestamp, paid_date date, settled_date date, reversed_date date)"
    ),
    (
        "create table made_up.events (receivable_event_key varchar, receivable_key varchar,"
        " event_type varchar, event_date date, amount decimal(18,2))"
    ),
)
IBM = (
    (
        "create view made_up.ibm as select invoiceNumber as key, customerID as customer,"
        " strptime(InvoiceDate, '%d/%m/%Y')::date as issued,"
        " strptime(DueDate, '%d/%m/%Y')::date as due,"
        " strptime(SettledDate, '%d/%m/%Y')::date as settled,"
        " InvoiceAmount::decimal(18,2) as amount"
        f" from read_csv('{INVOICES}', all_varchar = true)"
    ),
    (
        "insert into made_up.receivables"
        " select key, customer, 'billing', issued, due, amount, 'CNY' from made_up.ibm"
    ),
    (
        "insert into made_up.receipts select 'r' || key, key, customer, 'billing', amount, 'CNY',"
        " settled, settled, settled, null from made_up.ibm where settled is not null"
    ),
)
D1, D2 = "date '2012-11-01'", "date '2012-12-01'"
HAND = (
    # customer, debts and payments of each rule
    *(
        f"insert into made_up.receivables values ('{key}', '{key}', 'orders', {D1}, {D2}, {amount},"
        " 'CNY')"
        for key, amount in (
            ("over", 100),
            ("foreign", 100),
            ("unknown", 100),
            ("twice", 100),
            ("negative", -50),
            ("reversed", 100),
            ("written", 100),
            ("future", 100),
            ("ahead", 100),
        )
    ),
    *(
        f"insert into made_up.receipts values ('{receipt}', {debt}, '{customer}', 'orders',"
        f" {amount}, '{currency}', date '{paid}', date '{paid}', date '{paid}', {undone})"
        for receipt, debt, customer, amount, currency, paid, undone in (
            ("p1", "'over'", "over", 130, "CNY", "2012-11-20", "null"),
            ("p2", "'foreign'", "foreign", 100, "USD", "2012-11-20", "null"),
            ("p3", "'no such debt'", "unknown", 60, "CNY", "2012-11-20", "null"),
            ("p4", "'twice'", "twice", 100, "CNY", "2012-11-20", "null"),
            ("p5", "'twice'", "twice", 100, "CNY", "2012-11-21", "null"),
            ("p6", "'reversed'", "reversed", 100, "CNY", "2012-11-20", "date '2012-12-05'"),
            ("p7", "'future'", "future", 100, "CNY", "2014-01-15", "null"),
            ("p8", "'ahead'", "ahead", 100, "CNY", "2015-01-15", "null"),
            ("p9", "'negative'", "negative", 10, "CNY", "2012-11-20", "null"),
        )
    ),
    "insert into made_up.events values ('e1', 'written', 'written_off', date '2012-12-20', 40)",
)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScratchWarehouse]:
    """Public invoices as system billing, hand-made ones as system orders."""
    folder: Path = tmp_path_factory.mktemp("books")
    warehouse = ScratchWarehouse.make(folder, [], STAND_INS)
    for model in (*MODELS, "credit/receivable_exceptions"):
        shutil.copy(PROJECT / "models" / f"{model}.sql", folder / "models")
    project = folder / "dbt_project.yml"
    text = project.read_text(encoding="utf-8").replace("+contract: {enforced: true}", "")
    project.write_text(text, encoding="utf-8")
    warehouse.execute(*TABLES, *IBM, *HAND)
    warehouse.build("--exclude", "resource_type:test", as_of_dates=DATES)
    yield warehouse


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2012-12-31", [("not due", 86, 4936.32), ("1-30", 13, 788.74)]),
        ("2013-06-30", [("not due", 72, 4284.29), ("1-30", 12, 835.56)]),
    ],
)
def test_ageing_of_public_invoices(
    books: ScratchWarehouse, day: str, expected: list[tuple[str, int, float]]
) -> None:
    assert (
        books.query(
            "select bucket, sum(open_count), sum(open_amount)::double from core.receivables_ageing"
            f" where source_system = 'billing' and as_of_date = date '{day}'"
            " group by bucket, bucket_rank order by bucket_rank"
        )
        == expected
    )


def test_late_invoices_and_mean_days_late(books: ScratchWarehouse) -> None:
    """From the states of the debts: 877 of 2,466 late, 3.4424 days on average."""
    assert books.query(
        "select count(*), count(*) filter (where settled_date > due_date),"
        " round(100.0 * count(*) filter (where settled_date > due_date) / count(*), 4)::double,"
        " round(avg(greatest(settled_date - due_date, 0)), 4)::double"
        " from core.int_receivable_states"
        " where source_system = 'billing' and valid_to is null"
    ) == [(2466, 877, 35.5637, 3.4424)]


@pytest.mark.parametrize(
    ("customer", "still_open"),
    [
        ("over", None),  # paid; 30 stay with the receipt
        ("foreign", 100),  # money in another currency settles nothing
        ("unknown", 40),  # money for an unknown debt pays the oldest of the customer
        ("twice", None),  # the second payment stays with its receipt
        ("negative", None),  # a credit note is never owed
        ("reversed", 100),  # taken back: open again
        ("written", 60),
        ("future", 100),  # not yet paid on that day
        ("ahead", 100),
    ],
)
def test_what_is_open_by_rule(
    books: ScratchWarehouse, customer: str, still_open: float | None
) -> None:
    found = books.query(
        "select sum(open_amount)::double from core.receivables_ageing"
        f" where as_of_date = date '2012-12-31' and customer_id = '{customer}'"
    )
    assert found == [(still_open,)]


def test_nothing_is_allocated_twice_or_beyond(books: ScratchWarehouse) -> None:
    told = books.query(
        "select receipts.customer_id, receipts.amount::double,"
        " coalesce(sum(allocated_amount), 0)::double from made_up.receipts"
        " left join core.fct_receipt_allocations using (receipt_key)"
        " where receipts.source_system = 'orders' group by receipt_key, 1, 2 order by receipt_key"
    )
    assert told == [
        ("over", 130, 100),
        ("foreign", 100, 0),
        ("unknown", 60, 60),
        ("twice", 100, 100),
        ("twice", 100, 0),
        ("reversed", 100, 100),
        ("future", 100, 100),
        ("ahead", 100, 100),
        ("negative", 10, 0),
    ]


def test_each_odd_record_is_told_once_with_its_rule(books: ScratchWarehouse) -> None:
    """Nothing else is odd, not even among the public invoices."""
    told = books.query(
        "select customer_id, reason_code, record_kind, amount::double, applied_amount::double,"
        " unapplied_amount::double, currency_code from core.receivable_exceptions order by 1, 3"
    )
    assert told == [
        ("ahead", "dated_in_future", "receipt", 100, 100, 0, "CNY"),
        ("foreign", "other_currency", "receipt", 100, 0, 100, "USD"),
        ("negative", "credit_note", "debt", -50, 0, -50, "CNY"),
        ("negative", "nothing_owed", "receipt", 10, 0, 10, "CNY"),
        ("over", "larger_than_debt", "receipt", 130, 100, 30, "CNY"),
        ("twice", "paid_again", "receipt", 100, 0, 100, "CNY"),
        ("unknown", "unknown_debt", "receipt", 60, 60, 0, "CNY"),
    ]
