-- A warning is raised on the first day of a level above none, lasts while there is one, and is
-- closed on the first day without. Days between two as-of dates are not seen.
with dates as (
    select
        as_of_date,
        next_as_of_date,
        row_number() over (order by as_of_date asc nulls last) as date_no
    from {{ ref('int_as_of_dates') }}
),

-- On dates that follow each other both numbers grow by one: their difference tells warnings apart.
warned as (
    select
        scores.customer_id,
        scores.as_of_date,
        scores.class_code,
        scores.class_rank,
        dates.date_no - row_number() over (
            partition by scores.customer_id order by scores.as_of_date asc nulls last
        ) as warning_no
    from {{ ref('scores') }} as scores
    inner join dates
        on scores.as_of_date = dates.as_of_date
    where scores.scheme = 'arrears_risk' and scores.class_code <> 'none'
),

summed as (
    select
        customer_id,
        warning_no,
        min(as_of_date) as raised_date,
        max(as_of_date) as last_seen_date,
        max(class_rank) as highest_rank,
        {{ max_by('class_code', 'as_of_date') }} as level,
        {{ max_by('class_rank', 'as_of_date') }} as level_rank
    from warned
    group by customer_id, warning_no
),

warnings as (
    select summed.*, dates.next_as_of_date as closed_date
    from summed
    inner join dates
        on summed.last_seen_date = dates.as_of_date
),

-- Few are looked up among all days and customers: as seen last, and where they closed.
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
    select
        warnings.customer_id,
        warnings.closed_date,
        metrics.open_amount,
        metrics.written_off_count
    from warnings
    inner join {{ ref('customer_metrics') }} as metrics
        on warnings.customer_id = metrics.customer_id
            and warnings.closed_date = metrics.as_of_date
    where warnings.closed_date is not null
        and metrics.open_amount is not null
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
        and warnings.closed_date = closing.closed_date
