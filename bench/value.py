"""Value at size: all metrics, schemes and value tables of a made-up base, and RFM beside it.

In: nothing; facts are generated set-based in DuckDB, with a fixed seed. Out: seconds (wall and CPU)
and memory on standard output: one as-of date, the same RFM in pandas and in DuckDB SQL by hand, and
with `--months N` what one month more costs beside building N. Touches: a temporary folder.

Run `python -m bench.value [--customers N] [--transactions N] [--months N]`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from kehu.settings import CLONE

AS_OF = date(2026, 1, 31)
PROJECT = CLONE / "dbt_project"
MODELS = ("metrics", "schemes", "statistics", "value")
OTHER_FACTS = {
    "dim_products": "product_code varchar, product_name varchar, product_class varchar",
    "fct_receivables": "receivable_key varchar, customer_id varchar, source_system varchar,"
    " issued_date date, due_date date, amount decimal(18,2), currency_code varchar",
    "fct_receipts": "receipt_key varchar, receivable_key varchar, customer_id varchar,"
    " amount decimal(18,2), currency_code varchar, paid_date date, settled_date date,"
    " reversed_date date, reversal_reason varchar",
    "fct_receipt_allocations": "receipt_key varchar, receivable_key varchar,"
    " allocated_amount decimal(18,2), paid_date date, settled_date date, reversed_date date",
    "fct_receivable_events": "receivable_key varchar, event_type varchar, event_date date,"
    " amount decimal(18,2)",
    "dim_accounts": "customer_id varchar, account_kind varchar, opened_date date,"
    " closed_date date, usage_category varchar, importance_class varchar,"
    " supply_voltage_kv decimal(18,2), contracted_capacity_kva decimal(18,2),"
    " estimated_annual_demand decimal(18,2), currency_code varchar",
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
}
"""Facts besides purchases: their tables stand, empty."""

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
            " 'region ' || (hash(customer_id) % 30) as region from core.int_customers"
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


def month_ends(count: int) -> list[str]:
    """The last days of `count` months up to the as-of date."""
    days, day = [], AS_OF
    for _ in range(count):
        days.append(day.isoformat())
        day = day.replace(day=1) - timedelta(days=1)
    return sorted(days)


@dataclass(frozen=True)
class Built:
    """What a build cost: seconds of wall and of CPU, gigabytes at most, the slowest models."""

    seconds: float
    cpu: float
    gigabytes: float
    slowest: str

    def __str__(self) -> str:
        return (
            f"{self.seconds:.1f} s ({self.cpu:.0f} s of CPU), {self.gigabytes:.1f} GB"
            f" ({self.slowest})"
        )


def build(folder: Path, file: Path, days: Sequence[str]) -> Built:
    """dbt in a process of its own."""
    script = (
        "import sys, json, resource, time; from dbt.cli.main import dbtRunner;"
        "a = json.loads(sys.argv[1]); b = time.perf_counter(); o = dbtRunner().invoke(a);"
        "n = [(r.execution_time, r.node.name) for r in o.result.results];"
        "t = sorted(n, reverse=True)[:12];"
        "f = [(r.node.name, r.message) for r in o.result.results if r.status == 'error'];"
        "u = resource.getrusage(resource.RUSAGE_SELF);"
        "print(json.dumps([o.success, time.perf_counter() - b, u.ru_utime + u.ru_stime,"
        " u.ru_maxrss / 1e6, t, f]))"
    )
    variables = json.dumps({"as_of_dates": list(days), "reporting_currency": "CNY"})
    arguments = ["--quiet", "--no-version-check", "--no-send-anonymous-usage-stats", "build"]
    arguments += [
        "--select",
        "resource_type:seed",
        "core",
        *MODELS,
        # what statistics return is made outside dbt, and measured by its own bench
        "--exclude",
        "source:*+",
        "statistics+",
        "path:models/metrics/credit+",
        "--exclude-resource-type",
        "test",
    ]
    arguments += ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    arguments += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps([*arguments, "--vars", variables])],
        env={**os.environ, "KEHU_WORK_FILE": str(file), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    success, seconds, cpu, gigabytes, slowest, faults = json.loads(done.stdout.splitlines()[-1])
    assert success, faults
    names = ", ".join(f"{name} {took:.1f}" for took, name in slowest)
    return Built(seconds, cpu, gigabytes, names)


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
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as temporary:
        folder = Path(temporary)
        _project(folder)
        file = folder / "bench.duckdb"
        began = time.perf_counter()
        generate(file, asked.customers, asked.transactions)
        print(
            f"{asked.customers:,} customers, {asked.transactions:,} transactions, generated in"
            f" {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        if asked.months:
            days = month_ends(asked.months + 1)
            first = build(folder, file, days[:-1])
            print(f"{asked.months} months: {first}", flush=True)
            more = build(folder, file, days)
            print(
                f"one month more: {more}\n{100 * more.seconds / first.seconds:.1f} % of seconds,"
                f" {100 * more.cpu / first.cpu:.1f} % of the CPU"
            )
            return
        built = build(folder, file, month_ends(1))
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


def _project(folder: Path) -> None:
    """Macros, seeds and the models of value; core stands in as the tables that were generated."""
    import shutil

    for part in ("macros", "seeds/schemes", "seeds/value", "seeds/credit", "seeds/statistics"):
        shutil.copytree(PROJECT / part, folder / part)
    for layer in MODELS:
        shutil.copytree(
            PROJECT / "models" / layer,
            folder / "models" / layer,
            ignore=shutil.ignore_patterns("*__unit_tests.yml"),
        )
    shutil.copy(PROJECT / "dbt_project.yml", folder)
    shutil.copy(PROJECT / "profiles.yml", folder)
    core = folder / "models" / "core"
    core.mkdir()
    given = [
        "int_customers",
        "dim_customers",
        "fct_transactions",
        "dim_dates",
        "dim_exchange_rates",
    ]
    for name in (*given, *OTHER_FACTS):
        # in a schema of its own, so that the name of the table stays the generated one's
        (core / f"{name}.sql").write_text(
            f"{{{{ config(materialized='view', schema='given') }}}}\nselect * from core.{name}\n"
        )


if __name__ == "__main__":
    main()
