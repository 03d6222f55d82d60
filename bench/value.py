"""Value at size: all metrics, schemes and value tables of a made-up base, and RFM beside it.

In: nothing; facts are generated set-based in DuckDB, with a fixed seed. Out: seconds (wall and CPU)
and memory on standard output: one as-of date, the same RFM in pandas and in DuckDB SQL by hand, and
with `--months N` what one month more, with its facts, costs beside building N. Touches: a folder,
a temporary one if none is given.

Run `python -m bench.value [--customers N] [--transactions N] [--months N [--known]]
[--keep FOLDER]`.
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

from bench.marts import AS_OF, OTHER_FACTS, arrive, build, month_ends, project

MODELS = ("metrics", "schemes", "statistics", "value")
SELECTED = ("resource_type:seed", "core", *MODELS)
# what statistics return is made outside dbt, and measured by its own bench
LEFT_OUT = ("statistics+", "int_scorecard_versions+")
HAND_WRITTEN = """
create or replace table rfm_by_hand as
with totals as (
    select customer_id, date_diff('day', max(transaction_date), date '{day}') as recency_days,
        count(distinct document_no) as frequency, sum(gross_amount) as monetary
    from core.fct_transactions where transaction_kind = 'sale' and transaction_date <= date '{day}'
    group by customer_id
)
select *,
    least(5, 1 + floor(5 * percent_rank() over (order by recency_days desc))) as r_score,
    least(5, 1 + floor(5 * percent_rank() over (order by frequency))) as f_score,
    least(5, 1 + floor(5 * percent_rank() over (order by monetary))) as m_score
from totals
"""


def generate(file: Path, customers: int, transactions: int) -> None:
    """Core tables: customers, three years of purchases in documents of two lines; no more."""
    with duckdb.connect(str(file)) as con:
        con.execute("set threads = 2; set memory_limit = '8GB'; create schema core")
        con.execute(
            "create table core.int_customers as select md5(i::varchar) as customer_id,"
            " date '2020-01-01' + (hash(i) % 1000)::integer as first_seen_date"
            f" from range({customers}) as t(i)"
        )
        con.execute(
            "create table core.dim_customers as select customer_id, 'person' as customer_type,"
            " 'region ' || (hash(customer_id) % 30) as region, first_seen_date"
            " from core.int_customers"
        )
        # least of two draws: few customers buy much, many little
        con.execute(
            f"""
            create table core.fct_transactions as
            with drawn as (
                select i, i // 2 as document, hash(i) as h, hash(i // 2 + 13) as d,
                    least(hash(i // 2) % {customers}, hash(i // 2 + 7) % {customers}) as buyer
                from range({transactions}) as t(i)
            )
            select 'orders|order_line|' || i as transaction_key,
                md5(buyer::varchar) as customer_id, 'orders' as source_system,
                'SO' || document as document_no, cast(null as varchar) as nothing,
                case when d % 50 = 0 then 'cancellation' else 'sale' end as transaction_kind,
                date '{AS_OF - timedelta(days=1095)}' + (d % 1096)::integer as transaction_date,
                case when d % 50 = 0
                    then date '{AS_OF - timedelta(days=1095)}' + (d % 1096 + d % 60)::integer end
                    as cancelled_date,
                'class ' || (h % 12) as product_class,
                (1 + h % 5)::decimal(18, 3) as quantity,
                ((h % 10000) / 100 + 1)::decimal(18, 4) as unit_price,
                (((h % 10000) / 100 + 1) * (1 + (h % 3) / 10))::decimal(18, 4) as list_amount,
                ((h % 10000) / 100 + 1)::decimal(18, 4) as gross_amount,
                (((h % 10000) / 100 + 1) * (h % 40) / 100)::decimal(18, 4) as margin_amount,
                'CNY' as currency_code
            from drawn
            """
        )
        con.execute(
            "create table core.dim_dates as select day::date as date_day from generate_series("
            "date '2020-01-01', date '2026-12-31', interval 1 day) as t(day)"
        )
        con.execute(
            "create table core.dim_exchange_rates as select 'CNY' as from_currency,"
            " 'CNY' as to_currency, date '1900-01-01' as valid_from,"
            " cast(null as date) as valid_to,"
            " cast(1 as decimal(18, 6)) as rate"
        )
        for table, columns in OTHER_FACTS.items():
            con.execute(f"create table core.{table} ({columns})")


def pandas_rfm(file: Path) -> tuple[float, int]:
    """The same RFM in pandas, reading the columns it needs; seconds and customers."""
    began = time.perf_counter()
    with duckdb.connect(str(file), read_only=True) as con:
        lines = con.sql(
            "select customer_id, document_no, transaction_date,"
            " gross_amount::double as gross_amount from core.fct_transactions"
            " where transaction_kind = 'sale'"
        ).df()
    told = lines.groupby("customer_id", sort=False).agg(
        last=("transaction_date", "max"),
        frequency=("document_no", "nunique"),
        monetary=("gross_amount", "sum"),
    )
    told["recency"] = (told["last"].max() - told["last"]).dt.days
    for column, ascending in (("recency", False), ("frequency", True), ("monetary", True)):
        place = told[column].rank(method="min", ascending=ascending) - 1
        told[f"{column}_band"] = (1 + 5 * place // (len(told) - 1)).clip(upper=5)
    return time.perf_counter() - began, len(told)


def main() -> None:
    """Generate, build, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--transactions", type=int, default=20_000_000)
    parser.add_argument("--months", type=int, default=0)
    parser.add_argument(
        "--known", action="store_true", help="every fact from the start: only the date is new"
    )
    parser.add_argument("--keep", type=Path, help="a folder that stays")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        project(folder, MODELS)
        file = folder / "bench.duckdb"
        facts = folder / "facts.duckdb" if asked.months and not asked.known else file
        began = time.perf_counter()
        generate(facts, asked.customers, asked.transactions)
        os.sync()  # writing it out is nobody's work that is measured
        print(
            f"{asked.customers:,} customers, {asked.transactions:,} transactions, generated in"
            f" {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        if asked.months:
            days = month_ends(asked.months + 1)
            if facts != file:
                arrive(facts, file, days[-2])
            first = build(folder, file, days[:-1], SELECTED, LEFT_OUT)
            print(f"{asked.months} months: {first}", flush=True)
            if facts != file:
                arrive(facts, file, days[-1])
            more = build(folder, file, days, SELECTED, LEFT_OUT)
            print(
                f"one month more: {more}\n"
                f"{100 * more.seconds / first.seconds:.1f} % of seconds,"
                f" {100 * more.cpu / first.cpu:.1f} % of the CPU"
            )
            return
        built = build(folder, file, month_ends(1), SELECTED, LEFT_OUT)
        print(f"one as-of date: {built}", flush=True)
        by_pandas, customers = pandas_rfm(file)
        with duckdb.connect(str(file)) as con:
            con.execute("set threads = 2; set memory_limit = '8GB'")
            began = time.perf_counter()
            con.execute(HAND_WRITTEN.format(day=AS_OF))
            by_hand = time.perf_counter() - began
            details = con.sql("select count(*) from value.score_details").fetchall()[0][0]
        print(
            f"{details:,} explained points; RFM of {customers:,} customers alone: pandas"
            f" {by_pandas:.1f} s, by hand in DuckDB {by_hand:.1f} s; everything here is"
            f" {built.seconds / by_pandas:.1f} and {built.seconds / by_hand:.1f} times that;"
            f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB for pandas"
        )


if __name__ == "__main__":
    main()
