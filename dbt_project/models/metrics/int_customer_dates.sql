with customers as (
    select customer_id, first_seen_date from {{ ref('int_customers') }}
),

stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
),

seen_by_then as (
    select
        stale_buckets.as_of_date,
        customers.customer_id,
        {{ days_between('customers.first_seen_date', 'stale_buckets.as_of_date') }} as tenure_days
    from customers
    inner join stale_buckets
        on {{ bucket_of('customers.customer_id') }} = stale_buckets.bucket
            and customers.first_seen_date <= stale_buckets.as_of_date
)

select * from seen_by_then
