-- The moves into a month's classes are its scored customers.
with scores as (
    select scheme, as_of_date, count(*) as customers
    from {{ ref('scores') }}
    group by scheme, as_of_date
),

moves as (
    select scheme, as_of_date, sum(customers) as customers
    from {{ ref('class_transitions') }}
    where to_class_code <> 'unclassed'
    group by scheme, as_of_date
)

select moves.scheme, moves.as_of_date, moves.customers, scores.customers as scored
from moves
left join scores
    on moves.scheme = scores.scheme
        and moves.as_of_date = scores.as_of_date
where scores.customers is null or scores.customers <> moves.customers
