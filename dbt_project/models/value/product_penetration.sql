with holdings as (
    select distinct customer_id, product_class
    from {{ ref('int_purchases') }}
    where product_class is not null
        and transaction_date <= {{ newest_as_of_date() }}
        and (cancelled_date is null or cancelled_date > {{ newest_as_of_date() }})
),

segments as (
    select scores.as_of_date, scores.customer_id, scores.class_code, scores.class_rank
    from {{ ref('scores') }} as scores
    where scores.as_of_date = {{ newest_as_of_date() }}
        and scores.scheme = 'value_score'
),

sizes as (
    select as_of_date, class_code, count(*) as customers
    from segments
    group by as_of_date, class_code
),

holders as (
    select
        segments.class_code,
        segments.class_rank,
        holdings.product_class,
        count(*) as holders
    from segments
    inner join holdings
        on segments.customer_id = holdings.customer_id
    group by segments.class_code, segments.class_rank, holdings.product_class
),

rates as (
    select
        sizes.as_of_date,
        holders.product_class,
        sizes.class_code as value_class,
        holders.holders,
        sizes.customers,
        {{ rounded(ratio('holders.holders', 'sizes.customers'), 6) }} as penetration_rate
    from holders
    inner join sizes
        on holders.class_code = sizes.class_code
),

-- The class that holds a product most shows how far the others may be led.
with_gap as (
    select
        as_of_date,
        product_class,
        value_class,
        holders,
        customers,
        penetration_rate,
        max(penetration_rate) over (partition by product_class) as best_rate,
        cast(
            max(penetration_rate) over (partition by product_class) - penetration_rate
            as decimal(18, 6)
        ) as gap
    from rates
)

select * from with_gap
