"""The page: complete in itself, every section, clear notes where there is nothing, names masked."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from kehu.errors import WarehouseError
from kehu.settings import Settings
from report.build import build

SECTIONS = (
    *("health", "overlap", "rfm", "classes", "grades", "ageing", "valuable", "overdue"),
    *("worth", "risk", "forecast", "quality"),
)

_TABLES = """
create schema ops; create schema customer; create schema value; create schema credit;
create table ops.runs as
select 'run-1' as run_id, 'build_customer_marts' as dag_id, timestamp '2026-01-31 01:00:00'
    as started_at, timestamp '2026-01-31 01:00:42' as finished_at, date '2026-01-31' as as_of_date,
    'success' as status, 'v' as version, '' as message;
create table ops.stage_seconds as
select * from (values
    ('run-1', 'staging', 4.0), ('run-1', 'identity', 75.0), ('run-0', 'core', 9.0)
) as s(run_id, stage, seconds);
create table ops.reconciliation as
select * from (values
    ('run-0', 'billing', 'bills', 'b1', date '2026-01-30', 90, 90, 90, 0, 0, 0, 0, '{}', '[]',
        '{}', 1.0, 1.0, 1.0),
    ('run-1', 'billing', 'bills', 'b2', date '2026-01-31', 1234, 1234, 1227, 4, 3, 0, 0, '{}', '[]',
        '{"bills:due_not_before_issued": 3, "amount:range": 1}', 1.5, 2.0, 0.5),
    ('run-1', 'his', 'visits', 'b2', date '2026-01-31', 10, 10, 10, 0, 0, 0, 0, '{}', '[]',
        '{}', 0.1, 0.1, 0.1)
) as r(run_id, system, "table", batch, day, source, landed, loaded, quarantined, duplicate,
    updated, deleted, control_sums, new_columns, reasons, extract_seconds, validate_seconds,
    load_seconds);
create table customer.dim_customers as
select 'c' || i as customer_id, if(i = 9, 'organisation', 'person') as customer_type,
    if(i = 1, '<b>王*</b>', 'W** ' || i) as display_name, '王小明' as name_norm, 'x' as region,
    date '2025-01-01' as first_seen_date, if(i <= 4, 2, 1) as source_count, true as in_billing,
    i <= 4 as in_his, false as in_orders, false as in_service
from range(1, 11) as t(i);
create table value.customer_metrics as
select as_of_date, 'c' || i as customer_id, 'CNY' as currency_code,
    (100 * i)::decimal(18, 2) as monetary_12m, 50.00::decimal(18, 2) as open_amount,
    10.00::decimal(18, 2) as overdue_amount, 12 as overdue_days_max
from range(1, 11) as t(i), (values (date '2025-12-31'), (date '2026-01-31')) as d(as_of_date);
create table value.rfm as
select as_of_date, customer_id, 10 as recency_days, 2 as frequency, monetary_12m as monetary,
    1 + (row_number() over (order by customer_id) % 5)::int as r_score, 3 as f_score, 3 as m_score,
    if(monetary_12m > 800, 'champions', 'at_risk') as segment
from value.customer_metrics;
create table value.value_scores as
select as_of_date, customer_id, 50.0 as current_value, 50.0 as potential_value,
    (monetary_12m / 11)::decimal(9, 2) as score,
    if(monetary_12m > 900, 'premium', 'low_end') as class_code
from value.customer_metrics;
create table value.class_labels as
select 'value_score' as scheme, 1 as version, 'premium' as class_code, 'Premium' as label_en,
    '优质' as label_zh;
create table credit.receivables_ageing as
select d.as_of_date, 'c' || i as customer_id, 'billing' as source_system, b.bucket,
    1 as open_count, (7.5 * i)::decimal(18, 2) as open_amount, 'CNY' as currency_code
from range(1, 6) as t(i), (values ('not due'), ('1-30'), ('>365')) as b(bucket),
    (values (date '2025-12-31'), (date '2026-01-31')) as d(as_of_date);
create table credit.credit_grades as
select as_of_date, customer_id, 'power_credit' as scheme, 88.0 as score,
    if(customer_id = 'c1', 'D', 'A') as grade, 'A' as previous_grade,
    as_of_date as reviewed_date, as_of_date + 30 as next_review_date
from value.customer_metrics;
create schema sales;
create table value.lifetime_value as
select as_of_date, customer_id, 0.75 as probability_alive, 2.5 as expected_purchases_12m,
    monetary_12m as monetary_total, monetary_12m * 2 as expected_spend_12m,
    monetary_12m * 3 as expected_spend_24m
from value.customer_metrics where as_of_date = date '2026-01-31';
create table value.churn_risk as
select as_of_date, customer_id, 'purchases' as population, 0.625 as churn_probability,
    10 as risk_decile, 'recency_days' as reason_1, null as reason_2, null as reason_3
from value.customer_metrics where as_of_date = date '2026-01-31';
create table sales.monthly_sales as
select 'all' as series_kind, 'all' as series, month::date as month, 100.5 as amount
from range(date '2024-02-01', date '2026-02-01', interval 1 month) as t(month);
create table sales.forecast as
select 'all' as series_kind, 'all' as series, date '2026-02-01' as month, 1234.5 as forecast_amount,
    1000.0 as lower_amount, 1500.0 as upper_amount, 99.0 as naive_amount;
create table value.model_quality as
select * from (values
    ('churn_risk_contract', 1, 'auc', 0.5, 0.6, 'tenure alone', true, false,
        'not published: it does not beat its baseline'),
    ('lifetime_value', 0, 'holdout_rmse', 1.25, 2.5, 'own rate goes on', true, true, 'published')
) as q(model, seed, metric, value, baseline_value, baseline, is_deciding, is_published, note);
"""


def _publish(settings: Settings, *, empty: bool = False, without: str = "") -> None:
    version = settings.published / "kehu-20260131T010000Z-ab12.duckdb"
    version.parent.mkdir(parents=True)
    with duckdb.connect(str(version)) as connection:
        connection.execute(_TABLES)
        if empty:
            tables = connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables"
            ).fetchall()
            for (table,) in tables:
                connection.execute(f"delete from {table}")
        if without:
            connection.execute(f"drop table {without}")
    settings.published_file.symlink_to(version.name)


class _Text(HTMLParser):
    """Text of a page by section, every address it names, and tags left open."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.addresses: list[str] = []
        self.open: list[str] = []
        self._section = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in ("meta", "br", "circle", "line"):
            self.open.append(tag)
        if tag == "section":
            self._section = str(found["id"])
        self.addresses += [str(found[name]) for name in ("href", "src") if name in found]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        text = self.sections.get(self._section, "") + " " + data
        self.sections[self._section] = re.sub(r"\s+", " ", text)


def _read(page: Path) -> _Text:
    text = _Text()
    text.feed(page.read_text(encoding="utf-8"))
    assert text.open == []
    return text


def test_every_section_says_its_finding(settings: Settings) -> None:
    _publish(settings)
    page = build(settings)
    assert page == settings.run_reports / "index.html"
    sections = _read(page).sections
    assert set(sections) >= set(SECTIONS)
    # the last round of bills, not both rounds, and the visits
    assert "All 1,244 rows that were read are accounted for; 4 wait" in sections["health"]
    assert "due_not_before_issued" in sections["health"]
    assert "Build: identity 1 min 15 s" in sections["health"]
    assert "Build: core" not in sections["health"]
    assert "40% of customers (4) are known in two or more systems" in sections["overlap"]
    assert "At risk: 80% of buyers, 65% of all purchases" in sections["rfm"]
    assert "Premium: 10% of scored customers, 18% of the year's purchases" in sections["classes"]
    assert "优质" in sections["classes"]
    assert "90% of graded customers hold A" in sections["grades"]
    assert "0 rose and 1 fell" in sections["grades"]
    # 5 customers x 2 overdue buckets: 7.5 x 15 x 2
    assert "225 CNY is overdue, 67% of what is open; 50% of it" in sections["ageing"]
    assert "The 10 most valuable customers bring 100%" in sections["valuable"]
    assert "5 customers owe 100% of everything overdue" in sections["overdue"]


def test_page_needs_nothing_from_elsewhere(settings: Settings) -> None:
    _publish(settings)
    page = build(settings)
    text = page.read_text(encoding="utf-8")
    # itself, and the page of the run, which lies beside it
    elsewhere = {each for each in _read(page).addresses if not each.startswith("#")}
    assert elsewhere == {"run-run-1.html"}
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img|<iframe", text)


def test_names_are_the_masked_ones_and_escaped(settings: Settings) -> None:
    _publish(settings)
    text = build(settings).read_text(encoding="utf-8")
    assert "&lt;b&gt;王*&lt;/b&gt;" in text
    assert "王小明" not in text


def test_same_publication_same_bytes(settings: Settings) -> None:
    _publish(settings)
    first = build(settings).read_bytes()
    assert build(settings).read_bytes() == first


def test_empty_tables_give_notes(settings: Settings) -> None:
    _publish(settings, empty=True)
    sections = _read(build(settings)).sections
    assert set(sections) >= set(SECTIONS)
    assert "No table has been loaded yet" in sections["health"]
    assert "No customer has been published yet" in sections["overlap"]
    assert "No purchases to score yet" in sections["rfm"]
    assert "No customer has a value class yet" in sections["classes"]
    assert "No customer has a credit grade yet" in sections["grades"]
    assert "Nothing is open" in sections["ageing"]
    assert "No customer has a value score yet" in sections["valuable"]
    assert "No customer is overdue" in sections["overdue"]


@pytest.mark.parametrize(
    "table",
    [
        "ops.runs",
        "customer.dim_customers",
        "value.rfm",
        "credit.credit_grades",
        "ops.reconciliation",
    ],
)
def test_a_missing_table_leaves_the_rest(settings: Settings, table: str) -> None:
    _publish(settings, without=table)
    assert set(_read(build(settings)).sections) >= set(SECTIONS)


def test_rows_that_do_not_add_up_are_the_finding(settings: Settings) -> None:
    _publish(settings)
    with duckdb.connect(str(settings.published_file.resolve())) as connection:
        connection.execute("update ops.reconciliation set loaded = loaded - 1 where system = 'his'")
    section = _read(build(settings)).sections["health"]
    assert "1 table does not add up: his.visits" in section


def test_nothing_published_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="no published file"):
        build(settings)


def test_predictions_are_told_with_reasons_bands_and_quality(settings: Settings) -> None:
    _publish(settings)
    sections = _read(build(settings)).sections
    assert "recency days" in sections["risk"]
    assert "62%" in sections["risk"]
    assert "1,234.50" in sections["forecast"]
    assert "1,000.00" in sections["forecast"]
    assert "1 of 2 models beat their baseline" in sections["quality"]
    assert "not published: it does not beat its baseline" in sections["quality"]
    assert "75%" in sections["worth"]


def test_a_model_that_is_not_published_is_named(settings: Settings) -> None:
    _publish(settings, without="value.churn_risk")
    sections = _read(build(settings)).sections
    assert "No churn risk is published" in sections["risk"]
    assert "churn risk contract" in sections["quality"]
