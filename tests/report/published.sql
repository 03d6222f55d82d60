-- A small published file: ten customers, two as-of dates, every table that the pages read.
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
    if(i = 1, '<b>王*</b>', 'W** ' || i) as display_name, '王小明' as name_norm, if(i % 2 = 0, 'east', null) as region,
    date '2025-01-01' as first_seen_date, if(i <= 4, 2, 1) as source_count, true as in_billing,
    i <= 4 as in_his, false as in_orders, false as in_service
from range(1, 11) as t(i);
create table value.customer_metrics as
select as_of_date, 'c' || i as customer_id, 'CNY' as currency_code,
    (100 * i)::decimal(18, 2) as monetary_12m, 50.00::decimal(18, 2) as open_amount,
    10.00::decimal(18, 2) as overdue_amount, 12 as overdue_days_max,
    case when i > 5 then (i / 10)::decimal(18, 6) end as growth_12m
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
select l.*, 1 as version from (values
    ('value_score', 'premium', 1, 'Premium', '优质'), ('value_score', 'low_end', 2, 'Low-end', null),
    ('value_quadrant', 'medium', 3, 'Medium', '中等'), ('value_quadrant', 'small', 4, 'Small', '小'),
    ('arrears_risk', 'warn', 3, 'Warning', '预警')
) as l(scheme, class_code, class_rank, label_en, label_zh);
create table credit.receivables_ageing as
select d.as_of_date, 'c' || i as customer_id, 'billing' as source_system, b.bucket, b.bucket_rank,
    1 as open_count, (3.75 * i)::decimal(18, 2) as open_amount, 'EUR' as currency_code,
    (7.5 * i)::decimal(18, 2) as open_amount_reporting, 'CNY' as reporting_currency
from range(1, 6) as t(i), (values ('not due', 1), ('1-30', 2), ('>365', 7)) as b(bucket, bucket_rank),
    (values (date '2025-12-31'), (date '2026-01-31')) as d(as_of_date);
create table credit.credit_grades as
select as_of_date, customer_id, 'power_credit' as scheme, 88.0 as score,
    if(customer_id = 'c1', 'D', 'A') as grade, 'A' as previous_grade,
    as_of_date as reviewed_date, as_of_date + 30 as next_review_date
from value.customer_metrics;
create table credit.grade_transitions as
select date '2026-01-01' as month, 'power_credit' as scheme, date '2025-12-31' as previous_as_of_date,
    date '2026-01-31' as as_of_date, g.*
from (values ('A', 'A', 7, 70.5), ('A', 'B', 2, 20.0), ('B', 'A', 1, 0.0), ('unclassed', 'D', 3, 9.0))
    as g(from_grade, to_grade, customers, open_amount);
create table credit.payment_behaviour as
select d.as_of_date, 'c' || i as customer_id, 365.00::decimal(18, 2) as billed_amount,
    (10 * i)::decimal(18, 2) as open_amount, (d.late * i)::decimal(18, 2) as overdue_amount
from range(1, 5) as t(i),
    (values (date '2025-12-31', 4), (date '2026-01-31', 2.5)) as d(as_of_date, late);
create table credit.roll_rates as
select r.*, 1 as debts
from (values
    (date '2024-01-01', '1-30', 2, '1-30', 999.0), (date '2025-12-01', '1-30', 2, 'settled', 30.0),
    (date '2026-01-01', '1-30', 2, 'settled', 45.0), (date '2026-01-01', '1-30', 2, '31-60', 25.0),
    (date '2026-01-01', 'not due', 1, '1-30', 10.0), (date '2026-01-01', '31-60', 3, 'written off', 8.0)
) as r(month, from_bucket, from_rank, to_bucket, amount);
create table credit.arrears_warnings as
select w.* from (values
    ('severe', 4, date '2025-05-31', null, null, 100.0), ('warn', 3, date '2026-01-31', null, null, 20.0),
    ('warn', 3, date '2026-01-31', null, null, 5.0), ('warn', 3, date '2025-12-01', null, null, 5.0),
    ('watch', 2, date '2025-10-31', date '2025-12-31', 'paid', 3.0),
    ('watch', 2, date '2025-01-31', date '2025-02-28', 'paid', 3.0)
) as w(level, level_rank, raised_date, closed_date, closing_cause, overdue_amount);
create table credit.expected_loss as
select as_of_date, customer_id, if(customer_id = 'c9', 'organisation', 'person') as customer_type,
    if(customer_id < 'c4', 'east', null) as region, 100.00::decimal(18, 2) as exposure_at_default,
    0.5::decimal(9, 6) as probability_of_default, if(customer_id = 'c9', 30, 2.5)::decimal(18, 2)
    as expected_loss
from value.customer_metrics;
create table credit.scorecard_quality as
select 'bank_credit' as scheme, 1 as version, q.* from (values
    ('measure', 1, 'auc_mean_of_folds', 0.8125), ('measure', 2, 'gini', 0.625),
    ('calibration', 1, 'rows', 50), ('calibration', 1, 'expected', 0.02),
    ('calibration', 1, 'observed', 0.04), ('calibration', 2, 'rows', 50),
    ('calibration', 2, 'expected', 0.3), ('calibration', 2, 'observed', 0.28),
    ('roc', 1, 'good_refused', 0), ('roc', 1, 'bad_refused', 0), ('roc', 2, 'good_refused', 0.2),
    ('roc', 2, 'bad_refused', 0.7), ('roc', 3, 'good_refused', 1), ('roc', 3, 'bad_refused', 1)
) as q(kind, position, name, value);
create table credit.default_scorecard as
select 'bank_credit' as scheme, 1 as version, date '1900-01-01' as valid_from, 644 as base_points, s.*
from (values
    ('recency_days', 0, null, null, 41.5, false, 90, 9, -0.6, 0.2, -11),
    ('recency_days', 1, null, 41.5, null, false, 10, 1, 0.4, 0.1, 28),
    ('recency_days', 2, null, null, null, true, 0, 0, 0.0, 0.0, 0),
    ('last_system', 0, 'billing', null, null, false, 5, 5, 0.1, 0.01, 3),
    ('last_system', 0, 'orders', null, null, false, 5, 5, 0.1, 0.01, 3)
) as s(feature, bin, category, lower_bound, upper_bound, is_missing, good, bad, weight_of_evidence,
    information_value, points);
create table credit.credit_scores as
select as_of_date, customer_id, 'bank_credit' as scheme, 700 as score, 0.01::decimal(9, 6)
    as probability_of_default, 'A' as class_code, 1 as class_rank, 'Likely to pay' as class_label_en,
    50.00::decimal(18, 2) as proposed_limit
from value.customer_metrics;
create table credit.score_stability as
select 'bank_credit' as scheme, d.as_of_date, date '2025-12-31' as first_as_of_date, 10 as customers,
    d.stability_index, d.stability_label_en, 0.25 as train_again_from
from (values
    (date '2025-12-31', 0.0, 'stable'), (date '2026-01-31', 0.3, 'of other debtors than at first')
) as d(as_of_date, stability_index, stability_label_en);
create table value.value_pyramid as
select date '2026-01-31' as as_of_date, b.basis, l.*, 'CNY' as currency_code
from (values ('monetary_12m'), ('monetary_total')) as b(basis), (values
    (1, 'Top 1 %', '前1%', 1, 1000.0, 1, 1000.0, 0.4), (10, 'Top 10 %', '前10%', 2, 500.0, 3, 1500.0, 0.6),
    (20, 'Top 20 %', '前20%', 3, 500.0, 6, 2000.0, 0.8), (100, 'All', '全部', 24, 500.0, 30, 2500.0, 1.0)
) as l(customer_percent, label_en, label_zh, customers, amount, cumulative_customers,
    cumulative_amount, cumulative_share);
create table value.value_quadrants as
select as_of_date, customer_id, (10 * substr(customer_id, 2)::int)::decimal(9, 4) as current_points,
    50.0::decimal(9, 4) as potential_points,
    if(customer_id in ('c8', 'c9'), 'medium', 'small') as quadrant, date '2025-10-31' as quarter_ago,
    case when customer_id = 'c9' then 'small' when customer_id = 'c7' then 'medium'
        when customer_id <> 'c1' then if(customer_id = 'c8', 'medium', 'small') end
        as quadrant_a_quarter_ago,
    case when customer_id = 'c9' then 'up' when customer_id = 'c7' then 'down'
        when customer_id <> 'c1' then 'same' end as movement
from value.customer_metrics;
create table value.class_transitions as
select 'value_score' as scheme, m.month, m.previous_as_of_date, m.as_of_date, t.*
from (values
    (date '2025-12-01', date '2025-11-30', date '2025-12-31'),
    (date '2026-01-01', date '2025-12-31', date '2026-01-31')
) as m(month, previous_as_of_date, as_of_date), (values
    ('premium', 'premium', 8, 80.0), ('premium', 'low_end', 2, 1.0), ('low_end', 'premium', 3, 30.0),
    ('unclassed', 'low_end', 4, 2.0)
) as t(from_class_code, to_class_code, customers, amount);
create schema sales;
create table value.lifetime_value as
select as_of_date, customer_id, 0.75 as probability_alive, 2.5 as expected_purchases_12m,
    monetary_12m as monetary_total, monetary_12m * 2 as expected_spend_12m,
    monetary_12m * 3 as expected_spend_24m
from value.customer_metrics where as_of_date = date '2026-01-31';
create table value.churn_risk as
select as_of_date, customer_id, 'purchases' as population, 0.625 as churn_probability,
    if(customer_id = 'c9', 10, 1) as risk_decile, 'recency_days' as reason_1, null as reason_2,
    null as reason_3
from value.customer_metrics where as_of_date = date '2026-01-31';
create table value.churn_reasons as
select as_of_date, customer_id, population, r.*
from value.churn_risk, (values
    (1, 'recency_days', ln(2)), (2, 'tenure_days', -0.5), (3, 'mean_amount', ln(1.5))
) as r(reason_rank, feature, contribution);
create table sales.monthly_sales as
select date '2026-01-31' as as_of_date, s.series_kind, s.series, month::date as month, s.amount
from range(date '2024-02-01', date '2026-02-01', interval 1 month) as t(month),
    (values ('all', 'all', 100.5), ('product_class', 'spare_part', 60.5)) as s(series_kind, series, amount)
where s.series = 'all' or month <> date '2025-06-01';
create table sales.forecast as
select date '2026-01-31' as as_of_date, s.*, date '2026-02-01' as month, 1000.0 as lower_amount,
    1500.0 as upper_amount, 0.75 as band_share, 99.0 as naive_amount
from (values ('all', 'all', 1234.5), ('product_class', 'spare_part', 1111.5))
    as s(series_kind, series, forecast_amount);
create table sales.forecast_backtest as
select date '2026-01-31' as as_of_date, s.*
from (values ('all', 'all', 10.5, 20.5), ('product_class', 'spare_part', 7.5, 8.5),
    ('product_class', 'tool', 9.5, 6.25)) as s(series_kind, series, forecast_error, naive_error);
create table sales.funnel as
select date '2026-01-31' as as_of_date, f.*, 'CNY' as currency_code
from (values
    ('entry', 'lead', 'lead', 1, 'Lead', '线索', 8, null, 1.0, null, null),
    ('entry', 'lead', 'opportunity', 2, 'Opportunity', '商机', 4, 0.5, 0.5, 3.5, 900.0),
    ('entry', 'lead', 'quote', 3, 'Quote', '报价', 2, 0.5, 0.25, 7.0, 400.0),
    ('entry', 'lead', 'order', 4, 'Order', '订单', 1, 0.5, 0.125, 9.0, 200.0),
    ('entry', 'opportunity', 'opportunity', 2, 'Opportunity', '商机', 3, null, 1.0, null, 700.0),
    ('entry', 'opportunity', 'quote', 3, 'Quote', '报价', 0, 0.0, 0.0, null, 0.0),
    ('entry', 'opportunity', 'order', 4, 'Order', '订单', 0, null, 0.0, null, 0.0),
    ('lead_source', 'cold_call', 'lead', 1, 'Lead', '线索', 8, null, 1.0, null, null),
    ('lead_source', 'cold_call', 'opportunity', 2, 'Opportunity', '商机', 4, 0.5, 0.5, 3.5, 900.0),
    ('lead_source', 'cold_call', 'order', 4, 'Order', '订单', 1, 0.5, 0.125, 9.0, 200.0)
) as f(series_kind, series, stage, stage_rank, stage_label_en, stage_label_zh, case_count,
    conversion_rate, reached_rate, days_from_previous_median, amount);
create table sales.win_rates as
select date '2026-01-31' as as_of_date, w.*
from (values ('all', 'all', 4, 0.75), ('lead_source', 'cold_call', 2, 0.5))
    as w(series_kind, series, closed_count, win_rate);
create table sales.opportunity_ageing as
select date '2026-01-31' as as_of_date, a.*
from (values
    ('east', 'quote', '0-30', 1, 2, 150.0), ('west', 'opportunity', '0-30', 1, 1, 50.0),
    ('west', 'opportunity', '>180', 5, 1, 25.0)
) as a(region, stage, bucket, bucket_rank, open_count, expected_amount);
create table value.model_quality as
select date '2026-01-31' as as_of_date, q.* from (values
    ('churn_risk_contract', 1, 'auc', 0.5, 0.6, 'tenure alone', true, false,
        'not published: it does not beat its baseline'),
    ('lifetime_value', 0, 'holdout_rmse', 1.25, 2.5, 'own rate goes on', true, true, 'published')
) as q(model, seed, metric, value, baseline_value, baseline, is_deciding, is_published, note);
