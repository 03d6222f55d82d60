"""What the pages show, read from one published file.

In: a read-only connection to a published file. Out: rows, sums and short lists only, so that
pages about a million customers stay small. Touches nothing else.

A table that a publication does not hold gives no rows: the section then says so in its place.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from kehu.settings import SYSTEMS
from report.parts import Name, Row
from warehouse.connection import Connection

LONGEST_LIST = 20

PERSON = """
    dim_customers.customer_id, dim_customers.display_name, dim_customers.customer_type,
    dim_customers.in_billing, dim_customers.in_his,
    dim_customers.in_orders, dim_customers.in_service
"""
"""Columns of a listed customer: the masked name, and the systems that know the customer."""

_SOURCE = re.compile(r"\b(?:from|join)\s+(\w+\.\w+)")
_NO_CLASS = {"unclassed": "No class", "none": "None"}


class Reader:
    """Runs queries on one publication, and knows its day, its currency and its labels.

    `as_of` is the newest as-of date of the metrics; `$as_of` in a query is that day.
    """

    def __init__(self, connection: Connection, version: str) -> None:
        self.version = version
        self._connection = connection
        found = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
        self._tables = {str(row[0]) for row in found}
        newest = self.rows("select max(as_of_date) as newest from value.customer_metrics")
        self.as_of: date | None = newest[0]["newest"] if newest else None

    def rows(self, query: str, **values: object) -> list[Row]:
        """Rows of `query`, or none when the publication lacks a table that it reads."""
        if not set(_SOURCE.findall(query)) <= self._tables:
            return []
        if "$as_of" in query:
            values["as_of"] = self.as_of
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @cached_property
    def currency(self) -> str:
        """Reporting currency."""
        rows = self.rows(_CURRENCY)
        return str(rows[0]["currency_code"]) if rows else ""

    def name(self, scheme: str, code: str | None) -> Name:
        """Of a class; the code in words where no name is published."""
        if code is None:
            return Name("–")
        return self._labels.get((scheme, code)) or Name(
            _NO_CLASS.get(code, code.replace("_", " ").capitalize())
        )

    def classes(self, scheme: str) -> list[str]:
        """Codes of the classes of a scheme, best first."""
        return [code for of_scheme, code in self._labels if of_scheme == scheme]

    def names(self, scheme: str, codes: set[str]) -> dict[str, str]:
        """English names of `codes`, best class first, those without a rank last."""
        ranks = {code: rank for rank, code in enumerate(self.classes(scheme))}
        ordered = sorted(codes, key=lambda code: (ranks.get(code, len(ranks)), code))
        return {code: self.name(scheme, code).english for code in ordered}

    @cached_property
    def _labels(self) -> dict[tuple[str, str], Name]:
        """By scheme and class, best class first; the newest version of a scheme wins."""
        return {
            (row["scheme"], row["class_code"]): Name(row["label_en"], row["label_zh"] or "")
            for row in self.rows(_LABELS)
        }


@dataclass(frozen=True)
class Content:
    """What the overview tells of its own: the run, its books, and who the customers are."""

    version: str
    as_of: date | None
    currency: str
    tables: list[Row]
    reasons: list[tuple[str, str, int]]
    runs: list[Row]
    layers: list[Row]
    customers: Row
    overlap: list[Row]
    sums: Row

    @property
    def run_id(self) -> str:
        return str(self.runs[0]["run_id"]) if self.runs else ""


def read(reader: Reader) -> Content:
    """Read what the overview tells."""
    tables = reader.rows(_TABLES)
    return Content(
        version=reader.version,
        as_of=reader.as_of,
        currency=reader.currency,
        tables=tables,
        reasons=_reasons(tables),
        runs=reader.rows(_RUNS),
        layers=reader.rows(_LAYERS),
        customers=(reader.rows(_CUSTOMERS) or [{}])[0],
        overlap=reader.rows(_OVERLAP),
        sums=(reader.rows(_SUMS) or [{}])[0],
    )


def _reasons(tables: list[Row]) -> list[tuple[str, str, int]]:
    """Quarantined rows by table and rule, most first. A row may break several rules."""
    counted: Counter[tuple[str, str]] = Counter()
    for row in tables:
        for rule, number in json.loads(row["reasons"] or "{}").items():
            counted[f"{row['system']}.{row['table']}", rule] += int(number)
    return [(table, rule, number) for (table, rule), number in counted.most_common()]


_CURRENCY = """
    select currency_code
    from value.customer_metrics
    where as_of_date = $as_of
    group by currency_code
    order by count(*) desc
    limit 1
"""

_LABELS = """
    select scheme, class_code, label_en, label_zh
    from value.class_labels
    qualify version = max(version) over (partition by scheme)
    order by scheme, class_rank
"""

_SUMS = """
    select
        coalesce(sum(monetary_12m), 0) as bought, coalesce(sum(open_amount), 0) as open,
        coalesce(sum(overdue_amount), 0) as overdue
    from value.customer_metrics
    where as_of_date = $as_of
"""

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
