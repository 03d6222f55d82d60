{{ config(materialized='view') }}
{% set zone = source_zone('billing', 'invoices') %}

with invoices as (

    select * from {{ ref('stg_billing__invoices') }}

)

select
    'billing|invoice|' || invoice_no as transaction_key,
    'billing' as source_system,
    customer_no as source_record_id,
    'sale' as transaction_kind,
    invoice_no as document_no,
    1 as line_no,
    {{ to_utc('cast(invoice_date as timestamp)', zone) }} as transaction_at,
    invoice_date as transaction_date,
    '{{ zone }}' as source_timezone,
    cast(null as date) as cancelled_date,
    cast(null as {{ text_type() }}) as product_code,
    'invoiced_service' as product_class,
    cast(null as decimal(18, 3)) as quantity,
    cast(null as decimal(18, 4)) as unit_price,
    {{ money('amount', 4) }} as list_amount,
    {{ money('amount', 4) }} as gross_amount,
    cast(null as decimal(18, 4)) as cost_amount,
    currency_code
from invoices
