"""What the page shows, read from one published file.

In: a read-only connection to a published file. Out: a frozen `Content`, sums and short lists only,
so that a page about a million customers stays small. Touches nothing else.

A table that is empty, or that a publication does not hold, gives an empty part: the page then says
so in its place.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from kehu.settings import SYSTEMS
from report import predictions
from report.predictions import Predictions
from warehouse.connection import Connection

Row = dict[str, Any]

BUCKETS = ("1-30", "31-60", "61-90", "91-180", "181-365", ">365")
"""Ageing buckets of overdue debts, youngest first; `not due` is kept apart."""

LONGEST_LIST = 20


@dataclass(frozen=True)
class Content:
    """Everything on the page. `as_of` is the newest as-of date of the metrics."""

    version: str
    as_of: date | None
    currency: str
    tables: list[Row]
    reasons: list[tuple[str, str, int]]
    runs: list[Row]
    layers: list[Row]
    customers: Row
    overlap: list[Row]
    heat: list[Row]
    segments: list[Row]
    classes: list[Row]
    ageing: list[Row]
    ageing_history: list[Row]
    grades: list[Row]
    moves: Row
    valuable: list[Row]
    overdue: list[Row]
    labels: dict[tuple[str, str], tuple[str, str]]
    predictions: Predictions

    @property
    def run_id(self) -> str:
        return str(self.runs[0]["run_id"]) if self.runs else ""


def read(connection: Connection, version: str) -> Content:
    """Read all parts of the page."""
    reader = _Reader(connection)
    as_of = reader.newest("value.customer_metrics")
    tables = reader.rows("ops.reconciliation", _TABLES)
    return Content(
        version=version,
        as_of=as_of,
        currency=reader.currency(as_of),
        tables=tables,
        reasons=_reasons(tables),
        runs=reader.rows("ops.runs", _RUNS),
        layers=reader.rows("ops.stage_seconds", _LAYERS),
        customers=(reader.rows("customer.dim_customers", _CUSTOMERS) or [{}])[0],
        overlap=reader.rows("customer.dim_customers", _OVERLAP),
        heat=reader.rows("value.rfm", _HEAT, reader.newest("value.rfm")),
        segments=reader.rows("value.rfm", _SEGMENTS, reader.newest("value.rfm")),
        classes=reader.rows("value.value_scores", _CLASSES, reader.newest("value.value_scores")),
        ageing=reader.rows("credit.receivables_ageing", _AGEING, as_of, as_of),
        ageing_history=reader.rows("credit.receivables_ageing", _AGEING_HISTORY),
        grades=reader.rows("credit.credit_grades", _GRADES, reader.newest("credit.credit_grades")),
        moves=(
            reader.rows("credit.credit_grades", _MOVES, reader.newest("credit.credit_grades"))
            or [{}]
        )[0],
        valuable=reader.rows("value.value_scores", _VALUABLE, as_of, as_of, as_of),
        overdue=reader.rows("credit.receivables_ageing", _OVERDUE, as_of, as_of, as_of),
        labels=reader.labels(),
        predictions=predictions.read(reader.rows),
    )


class _Reader:
    """Runs queries, and answers with nothing for tables that the publication does not hold."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        found = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
        self._tables = {str(row[0]) for row in found}

    def rows(self, table: str, query: str, *values: object) -> list[Row]:
        """Rows of `query`, when the publication holds `table` and the others the query names."""
        needed = {table, *(name for name in _JOINED if f" {name}" in query)}
        if not needed <= self._tables:
            return []
        cursor = self._connection.execute(query, list(values))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def newest(self, table: str) -> date | None:
        rows = self.rows(table, f"select max(as_of_date) as newest from {table}")
        return rows[0]["newest"] if rows else None

    def currency(self, as_of: date | None) -> str:
        query = """
            select currency_code
            from value.customer_metrics
            where as_of_date = ?
            group by currency_code
            order by count(*) desc
            limit 1
        """
        rows = self.rows("value.customer_metrics", query, as_of)
        return str(rows[0]["currency_code"]) if rows else ""

    def labels(self) -> dict[tuple[str, str], tuple[str, str]]:
        """English and Chinese label by scheme and class; the newest version of a scheme wins."""
        rows = self.rows("value.class_labels", _LABELS)
        return {
            (row["scheme"], row["class_code"]): (row["label_en"], row["label_zh"] or "")
            for row in rows
        }


def _reasons(tables: list[Row]) -> list[tuple[str, str, int]]:
    """Quarantined rows by table and rule, most first. A row may break several rules."""
    counted: Counter[tuple[str, str]] = Counter()
    for row in tables:
        for rule, number in json.loads(row["reasons"] or "{}").items():
            counted[f"{row['system']}.{row['table']}", rule] += int(number)
    return [(table, rule, number) for (table, rule), number in counted.most_common()]


def share(part: object, whole: object) -> float:
    """`part` of `whole`, 0 when there is no whole."""
    whole_number = float(Decimal(str(whole or 0)))
    return float(Decimal(str(part or 0))) / whole_number if whole_number else 0.0


_JOINED = (
    "ops.runs",
    "customer.dim_customers",
    "value.customer_metrics",
    "value.rfm",
    "value.value_scores",
    "credit.credit_grades",
    "credit.receivables_ageing",
)
"""Tables that queries join; a query runs only when the publication holds all it names."""

_TABLES = """
    with ranked as (
        select
            *,
            row_number() over (
                partition by system, "table" order by batch desc
            ) as position
        from ops.reconciliation
    )
    select
        run_id, system, "table", source, landed, loaded, quarantined, duplicate,
        updated, deleted, reasons, new_columns, day,
        coalesce(extract_seconds, 0) as extract_seconds,
        coalesce(validate_seconds, 0) as validate_seconds,
        coalesce(load_seconds, 0) as load_seconds,
        source = landed and landed = loaded + quarantined + duplicate as adds_up
    from ranked
    where position = 1
    order by system, "table"
"""

_RUNS = """
    with ranked as (
        select *, row_number() over (partition by dag_id order by started_at desc) as position
        from ops.runs
    )
    select
        dag_id, run_id, started_at, status, version,
        date_diff('millisecond', started_at, finished_at) / 1000.0 as seconds
    from ranked
    where position = 1
    order by started_at desc
"""

_LAYERS = """
    select stage_seconds.stage, stage_seconds.seconds
    from ops.stage_seconds
    where stage_seconds.run_id = (
        select run_id from ops.runs where status = 'success' order by started_at desc limit 1
    )
    order by stage_seconds.rowid
"""

_CUSTOMERS = f"""
    select
        count(*) as customers,
        count(*) filter (where customer_type = 'organisation') as organisations,
        count(*) filter (where source_count >= 2) as shared,
        coalesce(sum(source_count), 0) as memberships,
        {", ".join(f"count(*) filter (where in_{s}) as {s}" for s in SYSTEMS)}
    from customer.dim_customers
"""

_OVERLAP = f"""
    select {", ".join(f"in_{s}" for s in SYSTEMS)}, count(*) as customers
    from customer.dim_customers
    group by all
    order by customers desc
"""

_HEAT = """
    select r_score, f_score, count(*) as customers, sum(monetary) as monetary
    from value.rfm
    where as_of_date = ? and r_score is not null and f_score is not null
    group by r_score, f_score
"""

_SEGMENTS = """
    select
        segment, count(*) as customers, sum(monetary) as monetary,
        median(recency_days) as recency_days, median(frequency) as frequency
    from value.rfm
    where as_of_date = ? and segment is not null
    group by segment
    order by monetary desc, segment
"""

_CLASSES = """
    select
        value_scores.class_code, count(*) as customers, avg(value_scores.score) as score,
        coalesce(sum(customer_metrics.monetary_12m), 0) as monetary
    from value.value_scores
    left join value.customer_metrics
        on customer_metrics.customer_id = value_scores.customer_id
        and customer_metrics.as_of_date = value_scores.as_of_date
    where value_scores.as_of_date = ? and value_scores.class_code is not null
    group by value_scores.class_code
    order by score desc nulls last
"""

_AGEING = """
    with graded as (
        select customer_id, grade
        from credit.credit_grades
        where as_of_date = ?
    )
    select
        coalesce(graded.grade, 'none') as grade, receivables_ageing.bucket,
        sum(receivables_ageing.open_amount) as open_amount,
        sum(receivables_ageing.open_count) as open_count
    from credit.receivables_ageing
    left join graded on graded.customer_id = receivables_ageing.customer_id
    where receivables_ageing.as_of_date = ?
    group by 1, 2
    having sum(receivables_ageing.open_amount) <> 0
    order by 1, 2
"""

_AGEING_HISTORY = """
    select as_of_date, bucket, sum(open_amount) as open_amount
    from credit.receivables_ageing
    group by as_of_date, bucket
    order by as_of_date, bucket
"""

_GRADES = """
    select grade, count(*) as customers, avg(score) as score
    from credit.credit_grades
    where as_of_date = ? and grade is not null
    group by grade
    order by grade
"""

_MOVES = """
    select
        count(*) filter (where grade > previous_grade) as fell,
        count(*) filter (where grade < previous_grade) as rose,
        count(*) filter (where grade = previous_grade) as stayed
    from credit.credit_grades
    where as_of_date = ?
"""

_PERSON = """
    dim_customers.customer_id, dim_customers.display_name, dim_customers.customer_type,
    dim_customers.in_billing, dim_customers.in_his,
    dim_customers.in_orders, dim_customers.in_service
"""

_VALUABLE = f"""
    with segmented as (
        select customer_id, segment
        from value.rfm
        where as_of_date = ?
    ),

    measured as (
        select customer_id, monetary_12m, open_amount, overdue_amount
        from value.customer_metrics
        where as_of_date = ?
    )
    select
        {_PERSON}, value_scores.score, value_scores.class_code, segmented.segment,
        measured.monetary_12m, measured.open_amount, measured.overdue_amount
    from value.value_scores
    inner join customer.dim_customers on dim_customers.customer_id = value_scores.customer_id
    left join segmented on segmented.customer_id = value_scores.customer_id
    left join measured on measured.customer_id = value_scores.customer_id
    where value_scores.as_of_date = ? and value_scores.score is not null
    order by
        value_scores.score desc, measured.monetary_12m desc nulls last, value_scores.customer_id
    limit {LONGEST_LIST}
"""

_OVERDUE = f"""
    with owed as (
        select
            customer_id,
            sum(open_amount) filter (where bucket <> 'not due') as overdue_amount,
            sum(open_amount) as open_amount,
            coalesce(sum(open_count) filter (where bucket <> 'not due'), 0) as overdue_count
        from credit.receivables_ageing
        where as_of_date = ?
        group by customer_id
    ),

    graded as (
        select customer_id, grade
        from credit.credit_grades
        where as_of_date = ?
    ),

    measured as (
        select customer_id, overdue_days_max, monetary_12m
        from value.customer_metrics
        where as_of_date = ?
    )
    select
        {_PERSON}, owed.overdue_amount, owed.open_amount, owed.overdue_count,
        graded.grade, measured.overdue_days_max, measured.monetary_12m
    from owed
    inner join customer.dim_customers on dim_customers.customer_id = owed.customer_id
    left join graded on graded.customer_id = owed.customer_id
    left join measured on measured.customer_id = owed.customer_id
    where owed.overdue_amount > 0
    order by owed.overdue_amount desc, owed.customer_id
    limit {LONGEST_LIST}
"""

_LABELS = """
    select scheme, class_code, label_en, label_zh
    from value.class_labels
    order by scheme, version
"""
