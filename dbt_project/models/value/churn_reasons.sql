with contributions as (
    select * from {{ source('analytics', 'churn_contributions') }}
),

typed as (
    select
        as_of_date,
        customer_id,
        population,
        reason_rank,
        feature,
        cast(contribution as decimal(18, 6)) as contribution
    from contributions
)

select * from typed
