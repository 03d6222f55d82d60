-- An order that was cancelled counts as a cancellation; `cancelled_date` tells since when.
{{ config(materialized='view') }}

with orders as (

    select * from {{ ref('stg_orders__orders') }}

),

order_lines as (

    select * from {{ ref('stg_orders__order_lines') }}

),

products as (

    select product_no, product_class from {{ ref('stg_orders__products') }}

)

select
    'orders|order_line|' || order_lines.order_no || '|'
    || cast(order_lines.line_no as {{ text_type() }}) as transaction_key,
    'orders' as source_system,
    orders.customer_no as source_record_id,
    case when orders.order_status = 'cancelled' then 'cancellation' else 'sale' end
        as transaction_kind,
    order_lines.order_no as document_no,
    order_lines.line_no,
    orders.ordered_at as transaction_at,
    orders.ordered_date as transaction_date,
    orders.source_timezone,
    case
        when orders.order_status = 'cancelled'
            then coalesce(orders.cancelled_date, orders.ordered_date)
    end as cancelled_date,
    order_lines.product_no as product_code,
    coalesce(products.product_class, 'unclassified') as product_class,
    cast(order_lines.quantity as decimal(18, 3)) as quantity,
    {{ money('order_lines.unit_price', 4) }} as unit_price,
    {{ money(
        'order_lines.quantity * coalesce(order_lines.list_price, order_lines.unit_price)', 4
    ) }} as list_amount,
    {{ money('order_lines.quantity * order_lines.unit_price', 4) }} as gross_amount,
    {{ money('order_lines.quantity * order_lines.unit_cost', 4) }} as cost_amount,
    orders.currency_code
from order_lines
inner join orders on order_lines.order_no = orders.order_no
left join products on order_lines.product_no = products.product_no
