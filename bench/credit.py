"""Credit at size: all credit tables of a made-up base, and ageing and DSO in pandas beside it.

In: nothing; facts are generated set-based in DuckDB, the same ones every time. Out: seconds (wall
and CPU) and memory on standard output: the allocation of receipts, metrics and schemes, the tables
of the schema credit for one as-of date, the same ageing and DSO in pandas; with `--months N` what
one month more, with its facts, costs beside building N. Touches: a temporary folder.

Run `python -m bench.credit [--customers N] [--records N] [--months N [--known]] [--keep FOLDER]`;
half of the records are debts, half receipts.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd

from bench.marts import AS_OF, OTHER_FACTS, arrive, build, month_ends, project

LAYERS = ("metrics", "schemes", "credit")
ALLOCATION = (
    "core/receivables/int_amounts_due",
    "core/receivables/int_allocations__named",
    "core/receivables/int_allocations__oldest_due",
    "core/receivables/int_allocations__reversed",
    "core/receivables/fct_receipt_allocations",
)
MONTHS = 24
"""Over which debts are issued."""
STATEMENTS = (
    (
        "create table core.int_customers as select md5(i::varchar) as customer_id,"
        " date '2020-01-01' + (hash(i) % 1000)::integer as first_seen_date"
        " from range({customers}) as t(i)"
    ),
    (
        "create table core.dim_customers as select customer_id,"
        " case when hash(customer_id) % 10 = 0 then 'organisation' else 'person' end"
        " as customer_type, 'region ' || (hash(customer_id) % 30) as region, first_seen_date"
        " from core.int_customers"
    ),
    # 7 of 10 in billing, 2 in orders, 1 in the hospital; one in a thousand is a credit note
    (
        "create table core.fct_receivables as"
        " with drawn as ("
        "     select i, hash(i) as h, hash(i + 7) as g from range({debts}) as t(i)"
        " ), dated as ("
        "     select *, date '{first}' + (h % {days})::integer as issued_date from drawn"
        " )"
        " select 'debt|' || i as receivable_key, md5((g % {customers})::varchar) as customer_id,"
        "     case when h % 10 < 7 then 'billing' when h % 10 < 9 then 'orders' else 'his' end"
        "     as source_system, issued_date, issued_date + (15 + g % 20)::integer as due_date,"
        "     ((case when h % 1000 = 0 then -1 else 1 end) * (h % 100000 + 100) / 100)"
        "     ::decimal(18, 2) as amount,"
        "     case when h % 50 = 0 then 'USD' else 'CNY' end as currency_code"
        " from dated"
    ),
    "create view core.int_receivables as select * from core.fct_receivables",
    # a receipt per debt: most in time, some late, some in part, twice as much, bounced, or nameless
    (
        "create table core.fct_receipts as"
        " with drawn as ("
        "     select *, hash(receivable_key) as h, hash(receivable_key || 'x') as g"
        "     from core.fct_receivables"
        " ), dated as ("
        "     select *, case when h % 100 < 75 then issued_date + (g % 20)::integer"
        "         when h % 100 < 97 then due_date + (g % 80)::integer"
        "         else due_date + (g % 900)::integer end as paid_date"
        "     from drawn"
        " )"
        " select 'receipt' || receivable_key as receipt_key,"
        "     case when g % 100 = 1 then null else receivable_key end as receivable_key,"
        "     g % 1000 = 1 as names_unknown_debt, customer_id, source_system,"
        "     (abs(amount) * (case when g % 50 = 2 then 2 when g % 20 = 3 then 0.5 else 1 end))"
        "     ::decimal(18, 2) as amount,"
        "     currency_code, paid_date::timestamp as paid_at, paid_date,"
        "     paid_date + (g % 4)::integer as settled_date,"
        "     case when g % 100 = 4 then paid_date + 20 end as reversed_date,"
        "     case when g % 100 = 4 then 'bounced' end as reversal_reason"
        " from dated where paid_date <= date '{as_of}'"
    ),
    (
        "create table core.fct_receivable_events as"
        " select 'event|' || receivable_key as receivable_event_key, receivable_key, customer_id,"
        "     'written_off' as event_type, due_date + 300 as event_date,"
        "     (amount / 2)::decimal(18, 2) as amount"
        " from core.fct_receivables where amount > 0 and hash(receivable_key) % 500 = 499"
        " union all"
        " select 'event|' || receivable_key || '|5', receivable_key, customer_id, 'adjusted',"
        "     issued_date + 5, (-amount / 10)::decimal(18, 2)"
        " from core.fct_receivables where amount > 0 and hash(receivable_key) % 200 = 7"
    ),
    (
        "create table core.fct_transactions as"
        " select 'orders|' || receivable_key as transaction_key, customer_id, source_system,"
        "     receivable_key as document_no, 'sale' as transaction_kind,"
        "     issued_date as transaction_date, cast(null as date) as cancelled_date,"
        "     'class ' || (hash(receivable_key) % 12) as product_class,"
        "     1::decimal(18, 3) as quantity, amount::decimal(18, 4) as unit_price,"
        "     amount::decimal(18, 4) as list_amount, amount::decimal(18, 4) as gross_amount,"
        "     (amount / 4)::decimal(18, 4) as margin_amount, currency_code"
        " from core.fct_receivables where amount > 0 and source_system = 'orders'"
    ),
    (
        "create table core.fct_dunnings as select customer_id, due_date + 10 as sent_date"
        " from core.fct_receivables where hash(receivable_key) % 100 >= 90"
    ),
    (
        "create table core.fct_contracts as select customer_id, first_seen_date as signed_date,"
        " cast(null as date) as expires_date, 500::decimal(18, 2) as guarantee_amount,"
        " 'CNY' as currency_code from core.int_customers where hash(customer_id) % 20 = 0"
    ),
    (
        "create table core.dim_dates as select day::date as date_day from generate_series("
        "date '2020-01-01', date '2026-12-31', interval 1 day) as t(day)"
    ),
    (
        "create table core.dim_exchange_rates as select code as from_currency,"
        " 'CNY' as to_currency, date '1900-01-01' as valid_from, cast(null as date) as valid_to,"
        " cast(rate as decimal(18, 6)) as rate"
        " from (values ('CNY', 1), ('USD', 7)) as t(code, rate)"
    ),
)


def generate(file: Path, customers: int, records: int) -> None:
    """Core tables: customers, debts of 24 months, a receipt for each that was paid by the day."""
    first = AS_OF - timedelta(days=30 * MONTHS)
    drawn = {"customers": customers, "debts": records // 2, "first": first, "as_of": AS_OF}
    with duckdb.connect(str(file)) as con:
        con.execute("set threads = 2; set memory_limit = '8GB'; create schema core")
        for statement in STATEMENTS:
            con.execute(statement.format(**drawn, days=(AS_OF - first).days + 1))
        there = {name for (name,) in con.sql("select table_name from duckdb_tables()").fetchall()}
        for table, columns in OTHER_FACTS.items():
            if table not in there and f"core/receivables/{table}" not in ALLOCATION:
                con.execute(f"create table core.{table} ({columns})")


def pandas_ageing(file: Path) -> tuple[float, dict[str, float], int]:
    """Ageing by customer, system, currency and bucket, and DSO by customer, from debts, receipts
    laid on them and events; seconds, what is open per bucket, customers with a DSO."""
    began = time.perf_counter()
    with duckdb.connect(str(file), read_only=True) as con:
        debts = con.sql(
            "select receivable_key, customer_id, source_system, currency_code, issued_date,"
            f" due_date, amount::double as amount from core.fct_receivables"
            f" where issued_date <= date '{AS_OF}'"
        ).df()
        paid = con.sql(
            "select receivable_key, allocated_amount::double as paid"
            f" from core.fct_receipt_allocations where settled_date <= date '{AS_OF}'"
            f" and (reversed_date is null or reversed_date > date '{AS_OF}')"
        ).df()
        events = con.sql(
            "select receivable_key, event_type, amount::double as amount"
            f" from core.fct_receivable_events where event_date <= date '{AS_OF}'"
        ).df()
    debts = debts.set_index("receivable_key")
    adjusted = events[events["event_type"] == "adjusted"].groupby("receivable_key")["amount"].sum()
    written = events[events["event_type"] != "adjusted"].groupby("receivable_key")["amount"].sum()
    due = (debts["amount"] + adjusted.reindex(debts.index).fillna(0)).clip(lower=0)
    settled = paid.groupby("receivable_key")["paid"].sum().reindex(debts.index).fillna(0)
    left = due - settled - written.reindex(debts.index).fillna(0)
    debts["open"] = left.clip(lower=0).round(2)
    debts["due"] = due
    days = (pd.Timestamp(AS_OF) - debts["due_date"]).dt.days
    debts["bucket"] = pd.cut(
        days,
        [-100_000, 0, 30, 60, 90, 180, 365, 100_000],
        labels=["not due", "1-30", "31-60", "61-90", "91-180", "181-365", ">365"],
    ).astype(str)
    keys = ["customer_id", "source_system", "currency_code", "bucket"]
    ageing = debts[debts["open"] > 0].groupby(keys)["open"].sum()
    rate = debts["currency_code"].map({"CNY": 1.0, "USD": 7.0})
    year_ago = pd.Timestamp(AS_OF) - pd.DateOffset(months=12)
    billed = (debts["due"] * rate)[debts["issued_date"] > year_ago].groupby(debts["customer_id"])
    standing = (debts["open"] * rate).groupby(debts["customer_id"]).sum()
    billed_12m = billed.sum()
    dso = (365 * standing / billed_12m[billed_12m > 0]).dropna()
    seconds = time.perf_counter() - began
    by_bucket = {
        str(name): float(amount) for name, amount in ageing.groupby("bucket").sum().items()
    }
    return seconds, by_bucket, len(dso)


def main() -> None:
    """Generate, build, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=20_000_000)
    parser.add_argument("--months", type=int, default=0)
    parser.add_argument(
        "--known", action="store_true", help="every fact from the start: only the date is new"
    )
    parser.add_argument("--keep", type=Path, help="a folder that stays")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        project(folder, (*LAYERS, "statistics"), ALLOCATION, ["int_receivables"])
        file = folder / "bench.duckdb"
        facts = folder / "facts.duckdb" if asked.months and not asked.known else file
        began = time.perf_counter()
        generate(facts, asked.customers, asked.records)
        os.sync()  # writing it out is nobody's work that is measured
        print(
            f"{asked.customers:,} customers, {asked.records:,} debts and receipts, generated in"
            f" {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        days = month_ends(asked.months + 1 if asked.months else 1)
        if facts != file:
            arrive(facts, file, days[-2])
        allocated = build(folder, file, days, ["resource_type:seed", "core"])
        print(f"seeds, allocation of receipts: {allocated}", flush=True)
        if asked.months:
            first = build(folder, file, days[:-1], LAYERS)
            print(f"{asked.months} months: {first}", flush=True)
            if facts != file:
                arrive(facts, file, days[-1])
                print(f"allocation anew: {build(folder, file, days, ['core'])}", flush=True)
            more = build(folder, file, days, LAYERS)
            print(
                f"one month more: {more}\n"
                f"{100 * more.seconds / first.seconds:.1f} % of seconds,"
                f" {100 * more.cpu / first.cpu:.1f} % of the CPU"
            )
            return
        upstream = build(folder, file, days, ["metrics", "schemes"])
        print(f"metrics and schemes, one as-of date: {upstream}", flush=True)
        built = build(folder, file, days, ["credit"])
        print(f"credit tables, one as-of date: {built}", flush=True)
        seconds, by_bucket, customers = pandas_ageing(file)
        _compare(file, by_bucket, customers)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"ageing and DSO of {customers:,} customers in pandas: {seconds:.1f} s, {most:.1f} GB"
        )


def _compare(file: Path, by_bucket: dict[str, float], customers: int) -> None:
    """Both tell the same."""
    with duckdb.connect(str(file), read_only=True) as con:
        told = con.sql(
            "select bucket, sum(open_amount)::double from credit.receivables_ageing group by bucket"
        ).fetchall()
        (with_dso,) = con.sql("select count(dso_days) from credit.payment_behaviour").fetchall()[0]
    for bucket, amount in told:
        assert abs(by_bucket[bucket] - amount) < 0.01 * max(1, amount**0.5), (bucket, amount)
    assert set(by_bucket) == {bucket for bucket, _ in told}
    assert with_dso == customers, (with_dso, customers)


if __name__ == "__main__":
    main()
