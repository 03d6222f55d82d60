{{ config(materialized='view') }}

with invoice_lines as (

    select * from {{ ref('stg_orders__invoice_lines') }}

)

select
    'orders|invoice_line|' || cast(row_no as {{ text_type() }}) as transaction_key,
    'orders' as source_system,
    customer_no as source_record_id,
    case
        when is_cancellation then 'cancellation'
        when quantity < 0 then 'return'
        else 'sale'
    end as transaction_kind,
    invoice_no as document_no,
    cast(null as integer) as line_no,
    invoiced_at as transaction_at,
    invoiced_date as transaction_date,
    source_timezone,
    case when is_cancellation then invoiced_date end as cancelled_date,
    stock_code as product_code,
    'unclassified' as product_class,
    cast(quantity as decimal(18, 3)) as quantity,
    {{ money('unit_price', 4) }} as unit_price,
    {{ money('quantity * unit_price', 4) }} as list_amount,
    {{ money('quantity * unit_price', 4) }} as gross_amount,
    cast(null as decimal(18, 4)) as cost_amount,
    currency_code
from invoice_lines
