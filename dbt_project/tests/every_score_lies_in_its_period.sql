-- The history of classes tells on every as-of date what was scored, and nothing else.
with scores as (
    select as_of_date, scheme, customer_id, class_code from {{ ref('scores') }}
),

as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

told as (
    select
        as_of_dates.as_of_date,
        history.scheme,
        history.customer_id,
        history.class_code
    from {{ ref('class_history') }} as history
    inner join as_of_dates
        on history.valid_from <= as_of_dates.as_of_date
            and (history.valid_to is null or history.valid_to > as_of_dates.as_of_date)
)

select
    coalesce(scores.as_of_date, told.as_of_date) as as_of_date,
    coalesce(scores.scheme, told.scheme) as scheme,
    coalesce(scores.customer_id, told.customer_id) as customer_id,
    scores.class_code as scored,
    told.class_code as told
from scores
full outer join told
    on scores.as_of_date = told.as_of_date
        and scores.scheme = told.scheme
        and scores.customer_id = told.customer_id
        and scores.class_code = told.class_code
where scores.class_code is null or told.class_code is null
