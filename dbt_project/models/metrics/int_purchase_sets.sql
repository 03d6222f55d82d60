{{ config(materialized='view') }}
with stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
),

purchases as (
    select * from {{ ref('int_purchases') }}
    where {{ bucket_of('customer_id') }} in (select stale_buckets.bucket from stale_buckets)
),

cancelled as (
    select
        purchases.transaction_key,
        purchases.customer_id,
        count(*) filter (
            where stale_buckets.as_of_date >= purchases.transaction_date
            and stale_buckets.as_of_date < purchases.cancelled_date
        ) as dates_before,
        count(*) filter (where stale_buckets.as_of_date >= purchases.cancelled_date)
            as dates_after
    from purchases
    inner join stale_buckets
        on {{ bucket_of('purchases.customer_id') }} = stale_buckets.bucket
    where purchases.cancelled_date is not null
    group by purchases.transaction_key, purchases.customer_id
),

-- Their past purchases are not the same on every as-of date: one set for each date.
customers_with_sets as (
    select distinct customer_id
    from cancelled
    where dates_before > 0
        and dates_after > 0
),

-- Of all others the purchases never change, they only become more.
lasting as (
    select
        purchases.*,
        cast(null as date) as only_as_of_date
    from purchases
    left join customers_with_sets
        on purchases.customer_id = customers_with_sets.customer_id
    left join cancelled
        on purchases.transaction_key = cancelled.transaction_key
    where customers_with_sets.customer_id is null
        and (cancelled.transaction_key is null or cancelled.dates_after = 0)
),

of_one_date as (
    select
        purchases.*,
        stale_buckets.as_of_date as only_as_of_date
    from purchases
    inner join customers_with_sets
        on purchases.customer_id = customers_with_sets.customer_id
    inner join stale_buckets
        on {{ bucket_of('purchases.customer_id') }} = stale_buckets.bucket
            and purchases.transaction_date <= stale_buckets.as_of_date
            and (
                purchases.cancelled_date is null
                or purchases.cancelled_date > stale_buckets.as_of_date
            )
),

unioned as (
    select * from lasting
    union all
    select * from of_one_date
),

with_set as (
    select
        transaction_key,
        customer_id,
        coalesce(cast(only_as_of_date as {{ text_type() }}), '') as purchase_set,
        only_as_of_date,
        source_system,
        document_no,
        transaction_date,
        product_class,
        gross_amount,
        margin_amount,
        discount_rate
    from unioned
)

select * from with_set
