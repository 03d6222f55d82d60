with rules as (
    select * from {{ source('analytics', 'cross_sell') }}
),

products as (
    select product_code, product_name from {{ ref('dim_products') }}
),

named as (
    select
        rules.as_of_date,
        rules.item_level,
        rules.item,
        coalesce(products.product_name, rules.item) as item_name,
        rules.other_item,
        coalesce(other_products.product_name, rules.other_item) as other_item_name,
        rules.customers_with_item,
        rules.customers_with_other,
        rules.customers_with_both,
        cast(rules.support as decimal(9, 6)) as support,
        cast(rules.confidence as decimal(9, 6)) as confidence,
        cast(rules.lift as decimal(18, 6)) as lift
    from rules
    left join products
        on rules.item_level = 'product'
            and rules.item = products.product_code
    left join products as other_products
        on rules.item_level = 'product'
            and rules.other_item = other_products.product_code
)

select * from named
