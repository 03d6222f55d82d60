with states as (
    select customer_id, due_date, valid_from, valid_to
    from {{ ref('int_receivable_states') }}
    where open_amount > 0
        -- never overdue while this state lasted
        and (valid_to is null or valid_to > {{ add_days('due_date', 1) }})
),

months as (
    select months.as_of_date, months.point_date, stale_buckets.bucket
    from {{ ref('int_as_of_months') }} as months
    inner join {{ ref('int_stale_buckets') }} as stale_buckets
        on months.as_of_date = stale_buckets.as_of_date
),

points as (
    select distinct point_date, bucket from months
),

points_in_arrears as (
    select distinct states.customer_id, points.point_date
    from states
    inner join points
        on {{ bucket_of('states.customer_id') }} = points.bucket
            and states.due_date < points.point_date
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
        on {{ bucket_of('points_in_arrears.customer_id') }} = months.bucket
            and points_in_arrears.point_date = months.point_date
    group by months.as_of_date, points_in_arrears.customer_id
)

select * from metrics
