with customers as (
    select customer_id, first_seen_date from {{ ref('int_customers') }}
),

as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

seen_by_then as (
    select
        as_of_dates.as_of_date,
        customers.customer_id,
        {{ days_between('customers.first_seen_date', 'as_of_dates.as_of_date') }} as tenure_days
    from customers
    inner join as_of_dates
        on customers.first_seen_date <= as_of_dates.as_of_date
)

select * from seen_by_then
