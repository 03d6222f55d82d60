with scores as (
    select as_of_date, scheme, customer_id, class_code from {{ ref('scores') }}
),

amounts as (
    select as_of_date, customer_id, monetary_12m from {{ ref('customer_metrics') }}
),

-- The last day that is known of each month, and that of the month known before it.
months as (
    select
        {{ month_start('as_of_date') }} as month,
        max(as_of_date) as as_of_date
    from {{ ref('int_as_of_dates') }}
    group by {{ month_start('as_of_date') }}
),

steps as (
    select
        month,
        as_of_date,
        lag(as_of_date) over (order by as_of_date asc nulls last) as previous_as_of_date
    from months
),

arrivals as (
    select
        steps.month,
        scores.scheme,
        scores.customer_id,
        scores.class_code as to_class_code
    from scores
    inner join steps
        on scores.as_of_date = steps.as_of_date
    where steps.previous_as_of_date is not null
),

departures as (
    select
        steps.month,
        scores.scheme,
        scores.customer_id,
        scores.class_code as from_class_code
    from scores
    inner join steps
        on scores.as_of_date = steps.previous_as_of_date
),

moves as (
    select
        coalesce(arrivals.month, departures.month) as month,
        coalesce(arrivals.scheme, departures.scheme) as scheme,
        coalesce(arrivals.customer_id, departures.customer_id) as customer_id,
        coalesce(departures.from_class_code, 'unclassed') as from_class_code,
        coalesce(arrivals.to_class_code, 'unclassed') as to_class_code
    from arrivals
    full outer join departures
        on arrivals.month = departures.month
            and arrivals.scheme = departures.scheme
            and arrivals.customer_id = departures.customer_id
),

counted as (
    select
        moves.scheme,
        moves.month,
        steps.previous_as_of_date,
        steps.as_of_date,
        moves.from_class_code,
        moves.to_class_code,
        count(*) as customers,
        {{ money('coalesce(sum(amounts.monetary_12m), 0)', 4) }} as amount,
        '{{ var("reporting_currency") }}' as currency_code
    from moves
    inner join steps
        on moves.month = steps.month
    left join amounts
        on steps.as_of_date = amounts.as_of_date
            and moves.customer_id = amounts.customer_id
    group by
        moves.scheme,
        moves.month,
        steps.previous_as_of_date,
        steps.as_of_date,
        moves.from_class_code,
        moves.to_class_code
)

select * from counted
