{{ config(
    pre_hook="{{ forget_later_periods(ref('int_warning_dates'), 'raised_date') }}",
    unique_key='warning_id',
    incremental_strategy=upsert_strategy(),
) }}
-- A warning is raised on the first day of a level above none, lasts while there is one, and is
-- closed on the first day without. Days between two as-of dates are not seen.
-- depends_on: {{ ref('int_warning_dates') }}
-- joins stand in conditions that the linter does not run
-- noqa: disable=LT02
with dates as (
    select
        as_of_dates.as_of_date,
        as_of_dates.next_as_of_date,
        {{ 'told.is_kept' if is_incremental() else 'false' }} as is_kept,
        row_number() over (order by as_of_dates.as_of_date asc nulls last) as date_no
    from {{ ref('int_as_of_dates') }} as as_of_dates
    {%- if is_incremental() %}
    inner join {{ ref('int_warning_dates') }} as told
        on as_of_dates.as_of_date = told.as_of_date
    {%- endif %}
),

-- Warnings that were on, as told, on the last day that stands.
{%- if is_incremental() %}
going_on as (
    select
        told.warning_id,
        told.customer_id,
        told.raised_date,
        told.last_seen_date,
        told.highest_rank,
        dates.as_of_date
    from {{ this }} as told
    inner join dates
        on dates.is_kept
            and told.raised_date <= dates.as_of_date
            and told.last_seen_date >= dates.as_of_date
),

-- Where days after it were told then, the highest level so far is looked up: few, mostly none.
looked_up as (
    select going_on.warning_id, max(scores.class_rank) as highest_rank
    from going_on
    inner join {{ ref('scores') }} as scores
        on going_on.customer_id = scores.customer_id
            and going_on.raised_date <= scores.as_of_date
            and going_on.as_of_date >= scores.as_of_date
    where going_on.last_seen_date > going_on.as_of_date
        and scores.scheme = 'arrears_risk'
    group by going_on.warning_id
),

so_far as (
    select
        going_on.customer_id,
        going_on.as_of_date,
        going_on.raised_date,
        coalesce(looked_up.highest_rank, going_on.highest_rank) as highest_rank
    from going_on
    left join looked_up
        on going_on.warning_id = looked_up.warning_id
),
{%- else %}
so_far as (
    select
        cast(null as {{ text_type() }}) as customer_id,
        as_of_date,
        as_of_date as raised_date,
        0 as highest_rank
    from dates
    where is_kept
),
{%- endif %}

levels as (
    select
        scores.customer_id,
        scores.as_of_date,
        scores.class_code,
        scores.class_rank,
        dates.date_no,
        coalesce(so_far.raised_date, scores.as_of_date) as raised_date,
        greatest(scores.class_rank, coalesce(so_far.highest_rank, 0)) as highest_rank
    from {{ ref('scores') }} as scores
    inner join dates
        on scores.as_of_date = dates.as_of_date
    left join so_far
        on scores.customer_id = so_far.customer_id
            and scores.as_of_date = so_far.as_of_date
    where scores.scheme = 'arrears_risk' and scores.class_code <> 'none'
),

-- On dates that follow each other both numbers grow by one: their difference tells warnings apart.
numbered as (
    select
        *,
        date_no - row_number() over (
            partition by customer_id order by as_of_date asc nulls last
        ) as warning_no
    from levels
),

summed as (
    select
        customer_id,
        warning_no,
        min(raised_date) as raised_date,
        max(as_of_date) as last_seen_date,
        max(highest_rank) as highest_rank,
        {{ max_by('class_code', 'as_of_date') }} as level,
        {{ max_by('class_rank', 'as_of_date') }} as level_rank
    from numbered
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
        and as_of_date in (select dates.as_of_date from dates)
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
