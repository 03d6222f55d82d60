with scores as (
    select as_of_date, scheme, customer_id, class_code, class_rank from {{ ref('scores') }}
),

as_of_dates as (
    select as_of_date, previous_as_of_date, next_as_of_date from {{ ref('int_as_of_dates') }}
),

with_last_known as (
    select
        scores.*,
        as_of_dates.previous_as_of_date,
        lag(scores.as_of_date) over (
            partition by scores.scheme, scores.customer_id
            order by scores.as_of_date asc nulls last
        ) as last_as_of_date,
        lag(scores.class_code) over (
            partition by scores.scheme, scores.customer_id
            order by scores.as_of_date asc nulls last
        ) as last_class_code
    from scores
    inner join as_of_dates
        on scores.as_of_date = as_of_dates.as_of_date
),

-- A period begins where the class is another, or where the customer had none the time before.
with_period as (
    select
        with_last_known.*,
        sum(
            case
                when last_as_of_date = previous_as_of_date and last_class_code = class_code then 0
                else 1
            end
        ) over (
            partition by scheme, customer_id
            order by as_of_date asc nulls last
            rows between unbounded preceding and current row
        ) as period_number
    from with_last_known
),

periods as (
    select
        scheme,
        customer_id,
        class_code,
        min(class_rank) as class_rank,
        min(as_of_date) as valid_from,
        max(as_of_date) as last_as_of_date
    from with_period
    group by scheme, customer_id, period_number, class_code
),

with_end as (
    select
        periods.scheme,
        periods.customer_id,
        periods.class_code,
        periods.class_rank,
        periods.valid_from,
        as_of_dates.next_as_of_date as valid_to
    from periods
    inner join as_of_dates
        on periods.last_as_of_date = as_of_dates.as_of_date
)

select * from with_end
