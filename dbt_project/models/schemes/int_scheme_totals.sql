with details as (
    select as_of_date, scheme, version, customer_id, contribution from {{ ref('score_details') }}
),

totals as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        cast(sum(contribution) as decimal(9, 4)) as score
    from details
    group by as_of_date, scheme, version, customer_id
)

select * from totals
