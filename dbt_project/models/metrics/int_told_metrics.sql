-- Rows as readers saw them last, of customers that are told again for a date that was told before.
{%- set told_metrics = told_before('customer_metrics') %}
with stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
    where was_told
),

told as (
    {%- if told_metrics is none %}
    select
        stale_buckets.as_of_date,
        customers.customer_id,
        cast(null as bigint) as row_sum,
        {{ money('null', 4) }} as monetary_12m,
        {{ money('null') }} as open_amount
    from stale_buckets
    inner join {{ ref('int_customers') }} as customers
        on {{ bucket_of('customers.customer_id') }} = stale_buckets.bucket
    where 1 = 0
    {%- else %}
    select
        metrics.as_of_date,
        metrics.customer_id,
        {{ fingerprint(metric_columns('metrics')) }} as row_sum,
        metrics.monetary_12m,
        metrics.open_amount
    from {{ told_metrics }} as metrics
    inner join stale_buckets
        on metrics.as_of_date = stale_buckets.as_of_date
            and {{ bucket_of('metrics.customer_id') }} = stale_buckets.bucket
    {%- endif %}
)

select * from told
