-- Goods sent back: what was sold and what it cost, with the opposite sign.
{{ config(materialized='view') }}

with orders as (

    select order_no, customer_no, currency_code from {{ ref('stg_orders__orders') }}

),

order_lines as (

    select * from {{ ref('stg_orders__order_lines') }}

),

products as (

    select product_no, product_class from {{ ref('stg_orders__products') }}

),

order_returns as (

    select * from {{ ref('stg_orders__returns') }}

)

select
    'orders|return|' || order_returns.return_no as transaction_key,
    'orders' as source_system,
    orders.customer_no as source_record_id,
    'return' as transaction_kind,
    order_returns.order_no as document_no,
    order_returns.line_no,
    order_returns.returned_at as transaction_at,
    order_returns.returned_date as transaction_date,
    order_returns.source_timezone,
    cast(null as date) as cancelled_date,
    order_lines.product_no as product_code,
    coalesce(products.product_class, 'unclassified') as product_class,
    cast(0 - order_returns.quantity as decimal(18, 3)) as quantity,
    {{ money('order_lines.unit_price', 4) }} as unit_price,
    {{ money('0 - order_returns.amount', 4) }} as list_amount,
    {{ money('0 - order_returns.amount', 4) }} as gross_amount,
    {{ money('0 - order_returns.quantity * order_lines.unit_cost', 4) }} as cost_amount,
    orders.currency_code
from order_returns
inner join orders on order_returns.order_no = orders.order_no
left join order_lines
    on
        order_returns.order_no = order_lines.order_no
        and order_returns.line_no = order_lines.line_no
left join products on order_lines.product_no = products.product_no
