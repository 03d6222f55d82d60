with stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
),

customers as (
    select customer_id, {{ bucket_of('customer_id') }} as bucket from {{ ref('int_customers') }}
),

cancelled as (
    select distinct customer_id, transaction_date, void_from
    from {{ ref('int_purchase_documents') }}
    where void_from < cast('9999-12-31' as date)
),

last_dates as (
    select bucket, max(as_of_date) as last_as_of_date
    from stale_buckets
    group by bucket
),

-- Their past purchases are not the same on every as-of date: one set for each date.
customers_with_sets as (
    select distinct cancelled.customer_id
    from cancelled
    inner join last_dates
        on {{ bucket_of('cancelled.customer_id') }} = last_dates.bucket
            and cancelled.void_from <= last_dates.last_as_of_date
    inner join stale_buckets
        on last_dates.bucket = stale_buckets.bucket
            and cancelled.transaction_date <= stale_buckets.as_of_date
            and cancelled.void_from > stale_buckets.as_of_date
),

-- Of all others the purchases never change, they only become more.
lasting as (
    select
        customers.customer_id,
        true as is_lasting,
        last_dates.last_as_of_date as seen_until
    from customers
    inner join last_dates
        on customers.bucket = last_dates.bucket
    left join customers_with_sets
        on customers.customer_id = customers_with_sets.customer_id
    where customers_with_sets.customer_id is null
),

of_one_date as (
    select
        customers.customer_id,
        false as is_lasting,
        stale_buckets.as_of_date as seen_until
    from customers
    inner join customers_with_sets
        on customers.customer_id = customers_with_sets.customer_id
    inner join stale_buckets
        on customers.bucket = stale_buckets.bucket
),

sets as (
    select * from lasting
    union all
    select * from of_one_date
)

-- A number is less to carry through the sums over all purchases than the customer's key.
select
    row_number() over (order by customer_id asc nulls last, seen_until asc nulls last) as set_no,
    customer_id,
    is_lasting,
    seen_until
from sets
