-- What the points and the debts that now stand were told from; written last, so that a build that
-- broke off before is told again.
{% for model in [
    'customer_metrics', 'int_cycle_observations', 'int_debt_buckets', 'int_purchase_days',
    'int_receivable_books', 'int_receivable_movements', 'int_receivable_states', 'int_roll_steps',
    'int_scheme_points', 'int_told_cancellations',
] -%}
-- depends_on: {{ ref(model) }}
{% endfor -%}
with fingerprints as (
    select bucket, month, facts, fact_sum from {{ ref('int_fact_fingerprints') }}
    union all
    select bucket, month, facts, fact_sum from {{ ref('int_scheme_fingerprint') }}
)

select * from fingerprints
