with stock as (
    select * from {{ source('analytics', 'safety_stock') }}
),

products as (
    select product_code, product_name, product_class, stock_quantity from {{ ref('dim_products') }}
),

joined as (
    select
        stock.as_of_date,
        stock.product_code,
        products.product_name,
        products.product_class,
        stock.months,
        cast(stock.monthly_demand as decimal(18, 3)) as monthly_demand,
        cast(stock.demand_error as decimal(18, 3)) as demand_error,
        cast(stock.service_level as decimal(9, 6)) as service_level,
        stock.lead_time_days,
        cast(stock.safety_stock as decimal(18, 3)) as safety_stock,
        cast(stock.reorder_point as decimal(18, 3)) as reorder_point,
        cast(products.stock_quantity as decimal(18, 3)) as stock_quantity,
        products.stock_quantity < stock.reorder_point as is_to_reorder
    from stock
    left join products
        on stock.product_code = products.product_code
)

select * from joined
