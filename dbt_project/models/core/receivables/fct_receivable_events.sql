with receivables as (

    select receivable_key, customer_id from {{ ref('int_receivables') }}

),

bill_events as (

    select * from {{ ref('stg_billing__bill_events') }}

),

invoice_events as (

    select * from {{ ref('stg_orders__invoice_events') }}

),

events as (

    select
        'billing|bill_event|' || cast(bill_event_id as {{ text_type() }}) as receivable_event_key,
        'billing|bill|' || bill_no as receivable_key,
        event_type,
        event_at,
        event_date,
        amount
    from bill_events

    union all

    select
        'orders|invoice_event|' || cast(invoice_event_id as {{ text_type() }}),
        'orders|invoice|' || invoice_no,
        event_type,
        event_at,
        event_date,
        amount
    from invoice_events

)

select
    events.receivable_event_key,
    events.receivable_key,
    receivables.customer_id,
    events.event_type,
    events.event_at,
    events.event_date,
    {{ money('events.amount') }} as amount
from events
inner join receivables on events.receivable_key = receivables.receivable_key
