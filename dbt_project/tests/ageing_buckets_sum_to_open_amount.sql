-- Every open debt is in one bucket: the buckets of a customer sum to its open amount. Each bucket
-- is rounded to cents when it is converted, so a cent for each may be left.
with ageing as (
    select
        as_of_date,
        customer_id,
        sum(open_amount_reporting) as open_amount,
        sum(case when bucket <> 'not due' then open_amount_reporting else 0 end)
            as overdue_amount,
        count(*) as buckets
    from {{ ref('receivables_ageing') }}
    group by as_of_date, customer_id
),

metrics as (
    select as_of_date, customer_id, open_amount, overdue_amount
    from {{ ref('customer_metrics') }}
    where open_amount is not null
)

select
    coalesce(metrics.as_of_date, ageing.as_of_date) as as_of_date,
    coalesce(metrics.customer_id, ageing.customer_id) as customer_id,
    metrics.open_amount,
    ageing.open_amount as sum_of_buckets
from metrics
full outer join ageing
    on metrics.as_of_date = ageing.as_of_date
        and metrics.customer_id = ageing.customer_id
where metrics.customer_id is null
    or abs(metrics.open_amount - coalesce(ageing.open_amount, 0))
    > 0.01 * coalesce(ageing.buckets, 0)
    or abs(metrics.overdue_amount - coalesce(ageing.overdue_amount, 0))
    > 0.01 * coalesce(ageing.buckets, 0)
