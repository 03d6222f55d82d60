-- Mean share of a bucket's money that stood in another one a month later, over every month known
-- by the as-of date. A bucket without history keeps its money.
with steps as (
    select as_of_date, from_bucket, to_bucket, amount from {{ ref('int_roll_steps') }}
),

as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

monthly as (
    select as_of_date as month_end, from_bucket, to_bucket, sum(amount) as amount
    from steps
    group by as_of_date, from_bucket, to_bucket
),

known as (
    select
        as_of_dates.as_of_date,
        monthly.from_bucket,
        monthly.to_bucket,
        sum(monthly.amount) as amount
    from as_of_dates
    inner join monthly
        on monthly.month_end <= as_of_dates.as_of_date
    group by as_of_dates.as_of_date, monthly.from_bucket, monthly.to_bucket
),

with_total as (
    select
        *,
        sum(amount) over (partition by as_of_date, from_bucket) as from_amount
    from known
)

select
    as_of_date,
    from_bucket,
    to_bucket,
    {{ ratio('amount', 'from_amount') }} as roll_rate
from with_total
