-- depends_on: {{ ref('int_stale_purchases') }}
{% set told_days = told_before('int_purchase_days') -%}
with stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
),

-- Purchases that were never cancelled are the same on every as-of date that sees them. They end on
-- the day before the last there is, from which on what was never cancelled is void.
lasting as (
    select
        customer_id,
        cast(null as date) as as_of_date,
        cast('9999-12-30' as date) as seen_until
    from {{ ref('int_customers') if told_days is none else ref('int_stale_purchases') }}
),

-- On an as-of date before a cancellation its customer's purchases were others.
cancelled_later as (
    select distinct
        purchases.customer_id,
        stale_buckets.as_of_date,
        stale_buckets.as_of_date as seen_until
    from {{ ref('int_purchases') }} as purchases
    inner join stale_buckets
        on {{ bucket_of('purchases.customer_id') }} = stale_buckets.bucket
            and purchases.transaction_date <= stale_buckets.as_of_date
            and purchases.cancelled_date > stale_buckets.as_of_date
    where purchases.cancelled_date is not null
),

sets as (
    select * from lasting
    union all
    select * from cancelled_later
)

-- A number is less to carry through the sums over all purchases than the customer's key. Ordered by
-- one text: Sail's planner loses its way where a second column is the same in half of a union.
select
    row_number() over (
        order by customer_id || ' ' || cast(seen_until as {{ text_type() }}) asc nulls last
    ) as set_no,
    customer_id,
    as_of_date,
    seen_until
from sets
