{{ config(
    materialized='external', location=var('folder') ~ '/lateness.parquet'
) }}
-- Per day and currency: how late the debts settled by then were, and how long sales stay out, by
-- the formulas of docs/metrics.md.
with states as (
    select
        *,
        settled_date > due_date as is_late,
        case
            when settled_date is not null
                then greatest({{ days_between('due_date', 'settled_date') }}, 0)
        end as days_late
    from {{ ref('int_receivable_states') }}
),

as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

settled as (
    select
        as_of_dates.as_of_date,
        states.currency_code,
        count(*) as debts,
        count(states.settled_date) as settled_debts,
        count(*) filter (where states.is_late) as late_debts,
        {{ money('coalesce(sum(states.due_amount) filter (where states.is_late), 0)') }}
            as late_amount,
        avg(states.days_late) as days_late_mean
    from as_of_dates
    inner join states
        on states.valid_from <= as_of_dates.as_of_date
            and (states.valid_to is null or states.valid_to > as_of_dates.as_of_date)
    group by as_of_dates.as_of_date, states.currency_code
),

standing as (
    select
        as_of_date,
        currency_code,
        coalesce(sum(open_amount), 0) as open_amount,
        coalesce(sum(open_amount) filter (where is_overdue), 0) as overdue_amount,
        sum(due_amount) filter (where is_issued_in_window) as billed_12m
    from {{ ref('int_receivable_positions') }}
    group by as_of_date, currency_code
)

select
    settled.as_of_date,
    settled.currency_code,
    settled.debts,
    settled.settled_debts,
    settled.late_debts,
    {{ ratio('settled.late_debts', 'settled.settled_debts') }} as late_share,
    settled.late_amount,
    settled.days_late_mean,
    {{ ratio('365 * standing.open_amount', 'standing.billed_12m') }} as dso_days,
    {{ ratio('365 * (standing.open_amount - standing.overdue_amount)', 'standing.billed_12m') }}
        as best_possible_dso_days
from settled
left join standing
    on settled.as_of_date = standing.as_of_date
        and settled.currency_code = standing.currency_code
order by settled.as_of_date, settled.currency_code
