-- A score is explained by its details: the contributions sum to it.
with details as (
    select as_of_date, scheme, customer_id, sum(contribution) as contribution
    from {{ ref('score_details') }}
    group by as_of_date, scheme, customer_id
),

scores as (
    select as_of_date, scheme, customer_id, score from {{ ref('scores') }}
)

select
    scores.as_of_date,
    scores.scheme,
    scores.customer_id,
    scores.score,
    details.contribution
from scores
left join details
    on scores.as_of_date = details.as_of_date
        and scores.scheme = details.scheme
        and scores.customer_id = details.customer_id
where details.contribution is null
    or abs(scores.score - details.contribution) > 0.0001
