{% set models = [
    'lifetime_value_quality', 'churn_quality', 'customer_clusters_quality', 'cross_sell_quality',
    'sales_quality',
] %}

with figures as (
    {% for model in models %}
    select * from {{ source('analytics', model) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

written_out as (
    select
        as_of_date,
        model,
        data_version,
        seed,
        metric,
        value,
        baseline,
        baseline_value,
        is_deciding,
        beats_baseline,
        is_published,
        note
    from figures
)

select * from written_out
