with orders as (

    select * from {{ ref('stg_orders__orders') }}

),

quotes as (

    select quote_no from {{ ref('stg_orders__quotes') }}

),

order_lines as (

    select order_no, quantity, unit_price from {{ ref('stg_orders__order_lines') }}

),

invoices as (

    select order_no, issued_date, amount from {{ ref('stg_orders__invoices') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'orders'

),

ordered as (

    select
        order_no,
        {{ money('sum(' ~ money('quantity * unit_price', 4) ~ ')') }} as amount
    from order_lines
    group by order_no

),

invoiced as (

    select
        order_no,
        min(issued_date) as invoiced_date,
        {{ money('sum(amount)') }} as invoiced_amount
    from invoices
    group by order_no

)

select
    'orders|order|' || orders.order_no as order_key,
    'orders|quote|' || orders.quote_no as quote_key,
    customer_records.customer_id,
    'orders' as source_system,
    orders.customer_no as source_record_id,
    orders.order_no,
    orders.channel,
    orders.ordered_at,
    orders.ordered_date,
    case
        when orders.order_status = 'cancelled'
            then coalesce(orders.cancelled_date, orders.ordered_date)
    end as cancelled_date,
    orders.source_timezone,
    ordered.amount,
    invoiced.invoiced_date,
    invoiced.invoiced_amount,
    orders.currency_code
from orders
inner join quotes on orders.quote_no = quotes.quote_no
left join ordered on orders.order_no = ordered.order_no
left join invoiced on orders.order_no = invoiced.order_no
left join customer_records on orders.customer_no = customer_records.source_record_id
