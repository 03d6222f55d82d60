with periods as (
    select period_no, discount_rate from {{ ref('relationship_periods') }}
),

with_factor as (
    select
        period_no,
        discount_rate,
        {{ rounded(ratio('1', 'power(cast(1 + discount_rate as double), period_no)'), 8, 9) }}
            as discount_factor
    from periods
)

select * from with_factor
