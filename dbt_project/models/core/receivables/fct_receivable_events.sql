with bill_events as (

    select * from {{ ref('stg_billing__bill_events') }}

),

invoice_events as (

    select * from {{ ref('stg_orders__invoice_events') }}

)

select
    'billing|bill_event|' || cast(bill_event_id as {{ text_type() }}) as receivable_event_key,
    'billing|bill|' || bill_no as receivable_key,
    event_type,
    event_at,
    event_date,
    {{ money('amount') }} as amount
from bill_events

union all

select
    'orders|invoice_event|' || cast(invoice_event_id as {{ text_type() }}),
    'orders|invoice|' || invoice_no,
    event_type,
    event_at,
    event_date,
    {{ money('amount') }}
from invoice_events
