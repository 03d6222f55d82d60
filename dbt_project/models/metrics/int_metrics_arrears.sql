with states as (
    select customer_id, due_date, valid_from, valid_to
    from {{ ref('int_receivable_states') }}
    where open_amount > 0
        -- never overdue while this state lasted
        and (valid_to is null or valid_to > {{ add_days('due_date', 1) }})
),

points as (
    select distinct point_date from {{ ref('int_as_of_months') }}
),

months as (
    select as_of_date, point_date from {{ ref('int_as_of_months') }}
),

points_in_arrears as (
    select distinct states.customer_id, points.point_date
    from states
    inner join points
        on states.due_date < points.point_date
            and states.valid_from <= points.point_date
            and (states.valid_to is null or states.valid_to > points.point_date)
),

metrics as (
    select
        months.as_of_date,
        points_in_arrears.customer_id,
        count(*) as arrears_months_12m
    from points_in_arrears
    inner join months
        on points_in_arrears.point_date = months.point_date
    group by months.as_of_date, points_in_arrears.customer_id
)

select * from metrics
