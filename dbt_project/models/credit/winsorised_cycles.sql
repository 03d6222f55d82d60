-- Receivable cycle of each customer, drawn in to the 1st and 99th percentile of its day (S000-65);
-- what was clipped says so and keeps its value.
with customers as (
    select
        as_of_date,
        customer_id,
        cast(
            {{ ratio('365 * open_amount', 'billed_12m') }} as decimal(18, 4)
        ) as receivable_cycle_days
    from {{ ref('customer_metrics') }}
    where open_amount is not null and billed_12m > 0
),

bounds as (
    select
        as_of_date,
        percentile_cont(0.01) within group (
            order by cast(receivable_cycle_days as double)
        ) as lowest_days,
        percentile_cont(0.99) within group (
            order by cast(receivable_cycle_days as double)
        ) as highest_days
    from customers
    group by as_of_date
),

rounded as (
    select
        as_of_date,
        cast(round(lowest_days, 4) as decimal(18, 4)) as lowest_days,
        cast(round(highest_days, 4) as decimal(18, 4)) as highest_days
    from bounds
)

select
    customers.as_of_date,
    customers.customer_id,
    customers.receivable_cycle_days,
    least(greatest(customers.receivable_cycle_days, rounded.lowest_days), rounded.highest_days)
        as winsorised_cycle_days,
    customers.receivable_cycle_days < rounded.lowest_days
    or customers.receivable_cycle_days > rounded.highest_days as is_clipped,
    rounded.lowest_days,
    rounded.highest_days
from customers
inner join rounded
    on customers.as_of_date = rounded.as_of_date
