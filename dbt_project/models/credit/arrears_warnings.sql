-- A warning is raised on the first day of a level above none, lasts while there is one, and is
-- closed on the first day without. Days between two as-of dates are not seen.
with scores as (
    select as_of_date, customer_id, class_code, class_rank
    from {{ ref('scores') }}
    where scheme = 'arrears_risk' and class_code <> 'none'
),

as_of_dates as (
    select as_of_date, previous_as_of_date, next_as_of_date from {{ ref('int_as_of_dates') }}
),

-- Each date and customer is looked up once as seen last and once as closed: two readings, of the
-- columns that are asked for, cost less than one that is kept.
seen as (
    select
        as_of_date,
        customer_id,
        billed_12m,
        collected_12m,
        in_transit_amount,
        open_amount,
        overdue_amount,
        overdue_days_max,
        written_off_count,
        currency_code
    from {{ ref('customer_metrics') }}
    where open_amount is not null
),

closing as (
    select as_of_date, customer_id, open_amount, written_off_count
    from {{ ref('customer_metrics') }}
    where open_amount is not null
),

with_last as (
    select
        scores.*,
        as_of_dates.previous_as_of_date,
        as_of_dates.next_as_of_date,
        lag(scores.as_of_date) over (
            partition by scores.customer_id order by scores.as_of_date asc nulls last
        ) as last_as_of_date
    from scores
    inner join as_of_dates
        on scores.as_of_date = as_of_dates.as_of_date
),

with_number as (
    select
        *,
        sum(case when last_as_of_date = previous_as_of_date then 0 else 1 end) over (
            partition by customer_id
            order by as_of_date asc nulls last
            rows between unbounded preceding and current row
        ) as warning_number
    from with_last
),

with_order as (
    select
        *,
        row_number() over (
            partition by customer_id, warning_number order by as_of_date desc nulls last
        ) as newest_first
    from with_number
),

warnings as (
    select
        customer_id,
        warning_number,
        min(as_of_date) as raised_date,
        max(as_of_date) as last_seen_date,
        max(class_rank) as highest_rank,
        max(case when newest_first = 1 then class_code end) as level,
        max(case when newest_first = 1 then class_rank end) as level_rank,
        max(case when newest_first = 1 then next_as_of_date end) as closed_date
    from with_order
    group by customer_id, warning_number
)

select
    md5(warnings.customer_id || '|' || cast(warnings.raised_date as {{ text_type() }}))
        as warning_id,
    warnings.customer_id,
    warnings.level,
    warnings.level_rank,
    warnings.highest_rank,
    warnings.raised_date,
    warnings.last_seen_date,
    warnings.closed_date,
    case
        when warnings.closed_date is null then null
        when closing.written_off_count > seen.written_off_count then 'written off'
        when coalesce(closing.open_amount, 0) = 0 then 'paid'
        else 'no longer overdue'
    end as closing_cause,
    case
        when seen.overdue_days_max >= 1
            then 'overdue for ' || cast(seen.overdue_days_max as {{ text_type() }}) || ' days'
        else 'level of arrears'
    end as warning_reason,
    seen.billed_12m as incurred_amount,
    seen.collected_12m as paid_amount,
    seen.in_transit_amount,
    seen.open_amount as balance_amount,
    seen.overdue_amount,
    seen.overdue_days_max as days_overdue,
    seen.currency_code
from warnings
inner join seen
    on warnings.customer_id = seen.customer_id
        and warnings.last_seen_date = seen.as_of_date
left join closing
    on warnings.customer_id = closing.customer_id
        and warnings.closed_date = closing.as_of_date
