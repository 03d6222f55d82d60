"""The last gate bites on each kind of violation, and lets a sound file pass."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from expectations.published import audit
from expectations.suites.published import PROMISED
from kehu.errors import ValidationError

DDL = """
create schema customer; create schema value; create schema credit; create schema ops;
create table customer.dim_customers as select 'c' || range as customer_id,
    'person' as customer_type, '张*' as display_name, 'R' as region,
    date '2020-01-01' as first_seen_date, 1 as source_count, true as in_billing, false as in_his,
    false as in_orders, false as in_service, 'ff' as phone_hash, '138****' as phone_masked,
    'r1' as run_id from range(3);
create table customer.bridge_customer_records as select 'billing' as source_system,
    'a' || range as source_record_id, 'c' || range as customer_id, 'own_record' as match_rule,
    1.0 as match_probability, if(range = 0, null, date '2020-01-01') as valid_from,
    null::date as valid_to,
    'r1' as run_id from range(3);
create table customer.customer_360 as select * from customer.dim_customers;
create table customer.customer_timeline as select 'e' || range as event_key,
    'c' || range as customer_id, timestamp '2026-01-01' as event_at, 'billing' as source_system,
    'bill' as event_type, 1.00 as amount, 'CNY' as currency_code, 'Debt issued' as summary,
    'r1' as run_id from range(3);
create table customer.customer_redirects as select 'old' as customer_id, 'c0' as redirected_to,
    'r1' as run_id;
create table customer.fct_identity_changes as select 'k' as change_key,
    date '2026-01-31' as changed_on, 'merge' as change_kind, 'name_phone' as rule,
    'old' as customer_id_before, 'c0' as customer_id_after, 'r1' as run_id;
create table customer.identity_explanations as select 'c0' as customer_id,
    'billing' as left_source_system, 'a0' as left_source_record_id, 'his' as right_source_system,
    'p0' as right_source_record_id, 'name_phone' as match_rule, 'name_phone' as comparison,
    0.99 as match_probability, 6.6 as weight, 'Same name.' as sentence, 'r1' as run_id;
create table customer.identity_review_queue as select 1 as review_rank, 'c0' as left_customer_id,
    'c1' as right_customer_id, 'between_thresholds' as review_reason, 0.7 as match_probability,
    1.00 as amount_at_stake, 'r1' as run_id;
create table customer.identity_health as select 'customers' as measure, 3 as measured,
    2 as measured_before, true as is_within_limits, 'r1' as run_id;
create table value.customer_metrics as select date '2026-01-31' as as_of_date,
    'c' || range as customer_id, 'CNY' as currency_code, 'r1' as run_id from range(3);
create table value.rfm as select date '2026-01-31' as as_of_date, 'c' || range as customer_id,
    10 as recency_days, 1 as frequency, 5.00 as monetary, 5 as r_score, 5 as f_score, 5 as m_score,
    'champions' as segment, 'r1' as run_id from range(3);
create table value.value_scores as select date '2026-01-31' as as_of_date,
    'c' || range as customer_id, 50.0 as current_value, 50.0 as potential_value, 50.0 as score,
    'ordinary' as class_code, 'r1' as run_id from range(3);
create table value.scores as select date '2026-01-31' as as_of_date, 'rfm' as scheme,
    'c' || range as customer_id, 50.0 as score, 'loyal' as class_code, 2 as class_rank,
    1 as version, 'r1' as run_id from range(3);
create table value.score_details as select date '2026-01-31' as as_of_date, 'rfm' as scheme,
    'c' || range as customer_id, 'r' as indicator, 5.0 as raw_value, 5.0 as points, 1.0 as weight,
    5.0 as contribution, 'r1' as run_id from range(3);
create table value.class_history as select 'rfm' as scheme, 'c' || range as customer_id,
    'loyal' as class_code, 2 as class_rank, date '2026-01-31' as valid_from,
    null::date as valid_to, 'r1' as run_id from range(3);
create table value.class_transitions as select 'rfm' as scheme, date '2026-01-01' as month,
    date '2025-12-31' as previous_as_of_date, date '2026-01-31' as as_of_date,
    'none' as from_class_code, 'loyal' as to_class_code, 3 as customers, 15.00 as amount,
    'CNY' as currency_code, 'r1' as run_id from range(0);
create schema sales;
create table value.lifetime_value as select date '2026-01-31' as as_of_date,
    'c' || range as customer_id, 0.5 as probability_alive, 1.0 as expected_purchases_12m,
    2.0 as expected_purchases_24m, 10.0 as expected_spend_12m, 20.0 as expected_spend_24m,
    'CNY' as currency_code, 'r1' as run_id from range(3);
create table value.churn_risk as select date '2026-01-31' as as_of_date,
    'purchases' as population, 'c' || range as customer_id, 0.5 as churn_probability,
    5 as risk_decile, 'recency_days' as reason_1, null::varchar as reason_2,
    null::varchar as reason_3, 'r1' as run_id from range(3);
create table value.customer_clusters as select date '2026-01-31' as as_of_date,
    'c' || range as customer_id, 1 as cluster_no, 0.1 as distance, 'r1' as run_id from range(3);
create table value.cross_sell as select date '2026-01-31' as as_of_date, 'product' as item_level,
    'a' as item, 'b' || range as other_item, 0.1 as support, 0.2 as confidence, 2.0 as lift,
    'r1' as run_id from range(3);
create table value.model_quality as select date '2026-01-31' as as_of_date, 'm' as model,
    range as seed, 'auc' as metric, 'v' as data_version, 0.8 as value, 0.7 as baseline_value,
    true as beats_baseline, true as is_published, 'r1' as run_id from range(3);
create table sales.forecast as select date '2026-01-31' as as_of_date, 'all' as series_kind,
    'all' as series, date '2026-02-01' as month, 2.0 as forecast_amount, 1.0 as lower_amount,
    3.0 as upper_amount, 2.0 as naive_amount, 'CNY' as currency_code, 'r1' as run_id;
create table sales.safety_stock as select date '2026-01-31' as as_of_date,
    'p' || range as product_code, 1.0 as safety_stock, 2.0 as reorder_point, 'r1' as run_id
    from range(3);
create table sales.funnel as select date '2026-01-31' as as_of_date, 'entry' as series_kind,
    'lead' as series, 's' || range as stage, range as stage_rank, 9 - range as case_count,
    null::decimal as conversion_rate, 1.0 as reached_rate,
    null::decimal as days_from_previous_median, null::decimal as amount, 'CNY' as currency_code,
    'r1' as run_id from range(3);
create table sales.win_rates as select date '2026-01-31' as as_of_date, 'all' as series_kind,
    'all' as series, 2 as closed_count, 1 as won_count, 1 as lost_count, 0.5 as win_rate,
    9.0 as days_to_close_median, 'CNY' as currency_code, 'r1' as run_id;
create table sales.opportunity_ageing as select date '2026-01-31' as as_of_date,
    'east' as region, 'quote' as stage, '0-30' as bucket, 1 as open_count,
    5.00 as expected_amount, 3 as days_open_max, 'CNY' as currency_code, 'r1' as run_id;
create table credit.receivables_ageing as select date '2026-01-31' as as_of_date,
    'c' || range as customer_id, 'billing' as source_system, '1-30' as bucket, 1 as open_count,
    2.00 as open_amount, 'CNY' as currency_code, 'r1' as run_id from range(3);
create table credit.payment_behaviour as select date '2026-01-31' as as_of_date,
    'c' || range as customer_id, 1.0 as billed_amount, 1.0 as collected_amount,
    1.0 as collection_rate, 1.0 as on_time_share, 0.0 as days_late_mean, 0.0 as overdue_amount,
    0.0 as dso_days, 'r1' as run_id from range(3);
create table credit.credit_grades as select date '2026-01-31' as as_of_date,
    'c' || range as customer_id, 'power_credit' as scheme, 90.0 as score, 'A' as grade,
    null::varchar as previous_grade, date '2026-01-31' as reviewed_date,
    date '2027-01-31' as next_review_date, 'r1' as run_id from range(3);
create table credit.grade_transitions as select date '2026-01-01' as month,
    'power_credit' as scheme, 'A' as from_grade, 'B' as to_grade, date '2026-01-31' as as_of_date,
    date '2025-12-31' as previous_as_of_date, 3 as customers, 1.00 as open_amount,
    'CNY' as currency_code, 'r1' as run_id;
create table credit.credit_actions as select date '2026-01-31' as as_of_date,
    'c' || range as customer_id, 'power_credit' as scheme, 'regular_visits' as action_code,
    'A' as class_code, 'account_manager' as owner_role, date '2026-02-28' as due_date,
    false as needs_review, 'power_credit:A' as reason_codes, 'r1' as run_id from range(3);
create table ops.runs as select 'r' || range as run_id, now() as started_at, now() as finished_at,
    '0.1.0' as version from range(2);
create table ops.reconciliation as select 'r1' as run_id, 'billing' as system, 'bills' as "table",
    'b' as batch, 1 as source, 1 as landed, 1 as loaded, 0 as quarantined, 0 as duplicate,
    0 as deleted, '{}' as control_sums;
"""

VIOLATIONS = {
    "customer.dim_customers: has_rows": "delete from customer.dim_customers",
    "customer.dim_customers: key:unique": (
        "insert into customer.dim_customers from customer.dim_customers limit 1"
    ),
    "customer.bridge_customer_records: customer_id:not_null": (
        "update customer.bridge_customer_records set customer_id = null where customer_id = 'c1'"
    ),
    "customer.bridge_customer_records: key:unique_now": (
        "insert into customer.bridge_customer_records"
        " from customer.bridge_customer_records where source_record_id = 'a2'"
    ),
    "customer.bridge_customer_records: source_system:not_null": (
        "update customer.bridge_customer_records set source_system = null"
        " where source_record_id = 'a0'"
    ),
    "customer.customer_timeline: key:unique": (
        "insert into customer.customer_timeline from customer.customer_timeline limit 1"
    ),
    "value.customer_metrics: customer_id:not_null": (
        "update value.customer_metrics set customer_id = null where customer_id = 'c1'"
    ),
    "value.rfm: is missing": "drop table value.rfm",
    "value.rfm: columns (without r_score)": "alter table value.rfm drop column r_score",
    "value.rfm: segment:in_set": "update value.rfm set segment = 'rich' where customer_id = 'c1'",
    "value.rfm: m_score:range": "update value.rfm set m_score = 6 where customer_id = 'c1'",
    "value.value_scores: class_code:in_set": (
        "update value.value_scores set class_code = 'champions' where customer_id = 'c1'"
    ),
    "value.scores: class_code:in_scheme": (
        "update value.scores set class_code = 'premium' where customer_id = 'c1'"
    ),
    "value.class_history: key:unique": (
        "insert into value.class_history from value.class_history limit 1"
    ),
    "value.score_details: key:unique": (
        "insert into value.score_details from value.score_details limit 1"
    ),
    "credit.receivables_ageing: bucket:in_set": (
        "update credit.receivables_ageing set bucket = '1 - 30' where customer_id = 'c1'"
    ),
    "credit.credit_grades: grade:in_scheme": (
        "update credit.credit_grades set grade = 'E' where customer_id = 'c1'"
    ),
    "credit.credit_grades: previous_grade:in_scheme": (
        "update credit.credit_grades set previous_grade = 'E' where customer_id = 'c1'"
    ),
    "credit.receivable_books: columns (without closing_amount)": (
        "alter table credit.receivable_books drop column closing_amount"
    ),
    "credit.vintages: key:unique": "insert into credit.vintages from credit.vintages",
    "value.rfm: run_id:one_run": "update value.rfm set run_id = 'r0'",
    "credit.payment_behaviour: run_id:one_run": (
        "update credit.payment_behaviour set run_id = null where customer_id = 'c1'"
    ),
    "value.rfm: run_id is missing": "alter table value.rfm drop column run_id",
    "customer.extra: customer_id:not_null": (
        "create table customer.extra as select null::varchar as customer_id, 'r1' as run_id"
    ),
    "customer.dim_customers: no_private_column": (
        "alter table customer.dim_customers add column holder_name varchar"
    ),
    "customer.customer_360: no_private_column": (
        "alter table customer.customer_360 add column phone_norm varchar"
    ),
    "value.customer_metrics: no_private_column": (
        "alter table value.customer_metrics add column icd10 varchar"
    ),
}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "kehu-20260131T000000Z-abcd.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(DDL)
        # tables that are promised columns and a key only
        for promise in PROMISED:
            cells = ", ".join(f"'x' as \"{column}\"" for column in promise.columns)
            con.execute(
                f"create table if not exists {promise.table} as select {cells}, 'r1' run_id"
            )
    return path


def test_a_sound_file_passes_and_is_not_touched(published: Path) -> None:
    before = published.read_bytes()
    audit(published)
    assert published.read_bytes() == before
    assert [path.name for path in published.parent.iterdir()] == [published.name]


def _groups() -> list[list[str]]:
    """Violations that do not touch each other, one per table, so that few files are audited."""
    groups: list[dict[str, str]] = []
    for rule in VIOLATIONS:
        table = rule.partition(":")[0]
        group = next((group for group in groups if table not in group), None)
        if group is None:
            groups.append(group := {})
        group[table] = rule
    return [list(group.values()) for group in groups]


@pytest.mark.parametrize("rules", _groups(), ids=str)
def test_each_planted_violation_is_named_and_nothing_else(
    published: Path, rules: list[str]
) -> None:
    with duckdb.connect(str(published)) as con:
        for rule in rules:
            con.execute(VIOLATIONS[rule])

    with pytest.raises(ValidationError) as raised:
        audit(published)

    lines = [line.removeprefix("    - ") for line in raised.value.what.splitlines()[1:]]
    assert sorted(lines) == sorted(rules)
    assert raised.value.where == str(published)


def test_the_message_holds_no_value(published: Path) -> None:
    with duckdb.connect(str(published)) as con:
        con.execute("update value.rfm set segment = 'canary-value'")
        con.execute("update credit.receivables_ageing set bucket = 'canary-value'")

    with pytest.raises(ValidationError) as raised:
        audit(published)

    assert "value.rfm: segment:in_set" in str(raised.value)
    assert "credit.receivables_ageing: bucket:in_set" in str(raised.value)
    assert "canary" not in str(raised.value)
