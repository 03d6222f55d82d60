with scores as (
    select as_of_date, customer_id, score, class_code, class_rank
    from {{ ref('scores') }}
    where scheme = 'risk_kind'
        and as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
),

details as (
    select as_of_date, customer_id, indicator, points
    from {{ ref('score_details') }}
    where scheme = 'risk_kind'
        and as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
),

kinds as (
    select
        as_of_date,
        customer_id,
        max(case when indicator = 'tariff' then 100 - points end) as tariff_risk,
        max(case when indicator = 'safety' then 100 - points end) as safety_risk,
        max(case when indicator = 'contract' then 100 - points end) as contract_risk
    from details
    group by as_of_date, customer_id
)

select
    scores.as_of_date,
    scores.customer_id,
    cast(kinds.tariff_risk as decimal(9, 4)) as tariff_risk,
    cast(kinds.safety_risk as decimal(9, 4)) as safety_risk,
    cast(kinds.contract_risk as decimal(9, 4)) as contract_risk,
    cast(100 - scores.score as decimal(9, 4)) as overall_risk,
    scores.class_code as leading_kind,
    scores.class_rank as kind_rank
from scores
left join kinds
    on scores.as_of_date = kinds.as_of_date
        and scores.customer_id = kinds.customer_id
