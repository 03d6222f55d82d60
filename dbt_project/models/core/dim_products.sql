with products as (

    select * from {{ ref('stg_orders__products') }}

),

invoice_lines as (

    select * from {{ ref('stg_orders__invoice_lines') }}

),

stock_codes as (

    select
        stock_code,
        max(stock_description) as stock_description,
        max(currency_code) as currency_code
    from invoice_lines
    group by stock_code

),

combined as (

    select product_no, product_name, product_class, unit_cost, currency_code, stock_quantity
    from products

    union all

    select stock_code, stock_description, 'unclassified', null, currency_code, null
    from stock_codes

)

select
    product_no as product_code,
    product_name,
    product_class,
    unit_cost,
    currency_code,
    stock_quantity
from combined
