with risks as (
    select * from {{ source('analytics', 'churn_risk') }}
),

typed as (
    select
        as_of_date,
        customer_id,
        population,
        cast(churn_probability as decimal(9, 6)) as churn_probability,
        risk_decile,
        reason_1,
        reason_2,
        reason_3
    from risks
)

select * from typed
