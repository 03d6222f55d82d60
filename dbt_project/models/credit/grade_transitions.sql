-- From the last day that is known of a month to that of the next; unclassed is a customer without a
-- grade on that side.
with steps as (
    select steps.month, steps.as_of_date, steps.previous_as_of_date
    from {{ ref('int_month_steps') }} as steps
    inner join {{ ref('int_credit_dates') }} as dates
        on steps.as_of_date = dates.as_of_date
    where steps.previous_as_of_date is not null
),

arrivals as (
    select steps.month, grades.scheme, grades.customer_id, grades.grade
    from {{ ref('credit_grades') }} as grades
    inner join steps
        on grades.as_of_date = steps.as_of_date
),

departures as (
    select steps.month, grades.scheme, grades.customer_id, grades.grade
    from {{ ref('credit_grades') }} as grades
    inner join steps
        on grades.as_of_date = steps.previous_as_of_date
),

moves as (
    select
        coalesce(arrivals.month, departures.month) as month,
        coalesce(arrivals.scheme, departures.scheme) as scheme,
        coalesce(arrivals.customer_id, departures.customer_id) as customer_id,
        coalesce(departures.grade, 'unclassed') as from_grade,
        coalesce(arrivals.grade, 'unclassed') as to_grade
    from arrivals
    full outer join departures
        on arrivals.month = departures.month
            and arrivals.scheme = departures.scheme
            and arrivals.customer_id = departures.customer_id
),

debts as (
    select as_of_date, customer_id, open_amount
    from {{ ref('customer_metrics') }}
    where open_amount is not null
        and as_of_date in (select steps.as_of_date from steps)
)

select
    steps.month,
    moves.scheme,
    steps.previous_as_of_date,
    steps.as_of_date,
    moves.from_grade,
    moves.to_grade,
    count(*) as customers,
    {{ money('coalesce(sum(debts.open_amount), 0)') }} as open_amount,
    '{{ var("reporting_currency") }}' as currency_code
from moves
inner join steps
    on moves.month = steps.month
left join debts
    on steps.as_of_date = debts.as_of_date
        and moves.customer_id = debts.customer_id
group by
    steps.month,
    moves.scheme,
    steps.previous_as_of_date,
    steps.as_of_date,
    moves.from_grade,
    moves.to_grade
