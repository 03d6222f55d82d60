-- Receivable cycle of each customer, drawn in to the 1st and 99th percentile of its day (S000-65);
-- what was clipped says so and keeps its value.
with customers as (
    select
        as_of_date,
        customer_id,
        {{ rounded(ratio('365 * open_amount', 'billed_12m'), 4) }} as receivable_cycle_days
    from {{ ref('customer_metrics') }}
    where open_amount is not null
        and billed_12m > 0
        and as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
),

bounds as (
    select
        as_of_date,
        {{ percentile('receivable_cycle_days', 0.01) }} as lowest_days,
        {{ percentile('receivable_cycle_days', 0.99) }} as highest_days
    from customers
    group by as_of_date
)

select
    customers.as_of_date,
    customers.customer_id,
    customers.receivable_cycle_days,
    least(greatest(customers.receivable_cycle_days, bounds.lowest_days), bounds.highest_days)
        as winsorised_cycle_days,
    customers.receivable_cycle_days < bounds.lowest_days
    or customers.receivable_cycle_days > bounds.highest_days as is_clipped,
    bounds.lowest_days,
    bounds.highest_days
from customers
inner join bounds
    on customers.as_of_date = bounds.as_of_date
