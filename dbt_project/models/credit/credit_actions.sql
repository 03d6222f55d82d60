-- What is recommended for the grades of the newest day, all treatments of a class. Reasons are the
-- indicators that cost the score most: effective weight x points below 100.
with scores as (
    select as_of_date, customer_id, scheme, version, class_code, class_rank
    from {{ ref('scores') }}
    where as_of_date = {{ newest_as_of_date() }}
        and scheme in ('power_credit', 'arrears_risk', 'collection_abc')
),

losses as (
    select
        as_of_date,
        customer_id,
        scheme,
        indicator,
        row_number() over (
            partition by as_of_date, customer_id, scheme
            order by effective_weight * (100 - points) desc nulls last, indicator asc nulls last
        ) as loss_rank
    from {{ ref('score_details') }}
    where as_of_date = {{ newest_as_of_date() }}
        and scheme in ('power_credit', 'arrears_risk', 'collection_abc')
        and not is_missing
        and points < 100
),

reasons as (
    select
        as_of_date,
        customer_id,
        scheme,
        concat_ws(
            ', ',
            max(case when loss_rank = 1 then indicator end),
            max(case when loss_rank = 2 then indicator end),
            max(case when loss_rank = 3 then indicator end)
        ) as indicators
    from losses
    group by as_of_date, customer_id, scheme
),

actions as (
    select * from {{ ref('scheme_actions') }}
),

deadlines as (
    select lower_priority, upper_priority, due_days from {{ ref('action_deadlines') }}
)

select
    scores.as_of_date,
    scores.customer_id,
    scores.scheme,
    scores.class_code,
    scores.class_rank,
    actions.action_code,
    actions.priority,
    actions.text_en,
    actions.text_zh,
    actions.owner_role,
    {{ add_days('scores.as_of_date', 'deadlines.due_days') }} as due_date,
    actions.needs_review,
    scores.scheme || ':' || scores.class_code || coalesce(' ' || reasons.indicators, '')
        as reason_codes
from scores
inner join actions
    on scores.scheme = actions.scheme
        and scores.version = actions.version
        and scores.class_code = actions.class_code
inner join deadlines
    on (deadlines.lower_priority is null or actions.priority >= deadlines.lower_priority)
        and (deadlines.upper_priority is null or actions.priority <= deadlines.upper_priority)
left join reasons
    on scores.as_of_date = reasons.as_of_date
        and scores.customer_id = reasons.customer_id
        and scores.scheme = reasons.scheme
