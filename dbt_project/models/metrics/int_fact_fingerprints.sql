{#- What can change a metric: relation, customer, the day since when it is known, what is known. A
    fact that goes on is several: an order and its cancellation, a payment and its reversal. -#}
{%- set facts = [
    ('int_customers', 'customer_id', 'first_seen_date', ['customer_id']),
    ('int_purchases', 'customer_id', 'transaction_date', ['source_system', 'document_no',
        'product_class', 'gross_amount', 'margin_amount', 'discount_rate']),
    ('int_purchases', 'customer_id', 'cancelled_date', ['transaction_key']),
    ('fct_receivables', 'customer_id', 'issued_date', ['receivable_key', 'source_system',
        'currency_code', 'due_date', 'amount']),
    ('fct_receivable_events', 'customer_id', 'event_date', ['receivable_key', 'event_type',
        'amount']),
    ('int_settlements', 'customer_id', 'counted_from', ['receivable_key', 'allocated_amount']),
    ('int_settlements', 'customer_id', 'counted_until', ['receivable_key', 'allocated_amount']),
    ('fct_receipts', 'customer_id', 'paid_date', ['receipt_key', 'amount', 'currency_code']),
    ('fct_receipts', 'customer_id', 'settled_date', ['receipt_key']),
    ('fct_receipts', 'customer_id', 'reversed_date', ['receipt_key', 'reversal_reason']),
    ('dim_accounts', 'customer_id', 'opened_date', ['account_kind', 'usage_category',
        'importance_class', 'supply_voltage_kv', 'contracted_capacity_kva',
        'estimated_annual_demand', 'currency_code']),
    ('dim_accounts', 'customer_id', 'closed_date', ['opened_date', 'contracted_capacity_kva']),
    ('fct_readings', 'customer_id', 'read_date', ['kwh']),
    ('fct_contracts', 'customer_id', 'signed_date', ['expires_date', 'guarantee_amount',
        'currency_code']),
    ('fct_contacts', 'customer_id', 'contact_date', ['channel', 'cost_amount', 'currency_code']),
    ('fct_activities', 'customer_id', 'activity_date', ['cost_amount', 'currency_code']),
    ('fct_complaints', 'customer_id', 'opened_date', ['complaint_kind']),
    ('fct_complaints', 'customer_id', 'closed_date', ['opened_date', 'satisfied']),
    ('fct_survey_answers', 'customer_id', 'answered_date', ['dimension', 'score']),
    ('fct_follow_ups', 'customer_id', 'sent_date', ['sent_date']),
    ('fct_follow_ups', 'customer_id', 'answered_date', ['sent_date']),
    ('fct_dunnings', 'customer_id', 'sent_date', ['sent_date']),
    ('fct_violations', 'customer_id', 'occurred_date', ['violation_kind']),
    ('fct_inspections', 'customer_id', 'inspected_date', ['hazard_found']),
    ('fct_inspections', 'customer_id', 'rectified_date', ['inspected_date']),
    ('fct_referrals', 'customer_id', 'referred_date', ['referred_customer_id']),
] -%}
{#- What changes everybody's: rates, parameters, the currency and the code of the metrics. -#}
{%- set common = [
    ('int_exchange_rates', 'valid_from', ['from_currency', 'rate']),
    ('risk_rates', "cast('1900-01-01' as date)", ['lower_days', 'upper_days',
        'default_probability', 'loss_given_default']),
    ('ageing_buckets', "cast('1900-01-01' as date)", ['bucket', 'bucket_rank', 'lower_days',
        'upper_days']),
    ('relationship_periods', "cast('1900-01-01' as date)", ['period_no', 'discount_rate']),
] -%}
with fingerprints as (
    {%- for relation, customer_id, known_since, known in facts %}
    select
        {{ bucket_of(customer_id) }} as bucket,
        {{ month_start(known_since) }} as month,
        count(*) as facts,
        sum({{ fingerprint([customer_id, known_since] + known) }}) as fact_sum
    from {{ ref(relation) }}
    where {{ customer_id }} is not null and {{ known_since }} is not null
    group by {{ bucket_of(customer_id) }}, {{ month_start(known_since) }}
    union all
    {%- endfor %}
    {%- for relation, known_since, known in common %}
    select
        '*' as bucket,
        {{ month_start(known_since) }} as month,
        count(*) as facts,
        sum({{ fingerprint([known_since] + known) }}) as fact_sum
    from {{ ref(relation) }}
    group by {{ month_start(known_since) }}
    union all
    {%- endfor %}
    select
        '*' as bucket,
        cast('1900-01-01' as date) as month,
        1 as facts,
        {{ fingerprint([
            fingerprint_release(), "'" ~ var('reporting_currency') ~ code_of('metrics') ~ "'"
        ]) }} as fact_sum
),

summed as (
    select
        bucket,
        month,
        cast(sum(facts) as bigint) as facts,
        cast(sum(fact_sum) as decimal(38, 0)) as fact_sum
    from fingerprints
    group by bucket, month
)

select * from summed
