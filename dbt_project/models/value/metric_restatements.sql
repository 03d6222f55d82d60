{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false
) }}
with told_before as (
    select * from {{ ref('int_told_metrics') }}
),

stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
    where was_told
),

told_now as (
    select
        metrics.as_of_date,
        metrics.customer_id,
        {{ fingerprint(metric_columns('metrics')) }} as row_sum,
        metrics.monetary_12m,
        metrics.open_amount
    from {{ ref('customer_metrics') }} as metrics
    inner join stale_buckets
        on metrics.as_of_date = stale_buckets.as_of_date
            and {{ bucket_of('metrics.customer_id') }} = stale_buckets.bucket
),

newest as (
    select max(as_of_date) as told_on from {{ ref('int_as_of_dates') }}
),

numbers as (
    {%- if is_incremental() %}
    select coalesce(max(earlier.restatement_no), 0) + 1 as restatement_no
    from {{ this }} as earlier
    inner join newest
        on earlier.told_on = newest.told_on
    {%- else %}
    select 1 as restatement_no
    {%- endif %}
),

different as (
    select
        coalesce(told_now.as_of_date, told_before.as_of_date) as as_of_date,
        told_before.customer_id is null as is_added,
        told_now.customer_id is null as is_removed,
        coalesce(told_now.monetary_12m, 0) - coalesce(told_before.monetary_12m, 0)
            as monetary_12m_change,
        coalesce(told_now.open_amount, 0) - coalesce(told_before.open_amount, 0)
            as open_amount_change
    from told_now
    full outer join told_before
        on told_now.as_of_date = told_before.as_of_date
            and told_now.customer_id = told_before.customer_id
    where told_now.row_sum is distinct from told_before.row_sum
),

counted as (
    select
        as_of_date,
        count(*) filter (where not is_added and not is_removed) as customers_changed,
        count(*) filter (where is_added) as customers_added,
        count(*) filter (where is_removed) as customers_removed,
        {{ money('sum(monetary_12m_change)', 4) }} as monetary_12m_change,
        {{ money('sum(open_amount_change)') }} as open_amount_change
    from different
    group by as_of_date
)

select
    newest.told_on,
    cast(numbers.restatement_no as bigint) as restatement_no,
    counted.as_of_date,
    counted.customers_changed,
    counted.customers_added,
    counted.customers_removed,
    counted.monetary_12m_change,
    counted.open_amount_change,
    '{{ var("reporting_currency") }}' as currency_code
from counted
cross join newest
cross join numbers
