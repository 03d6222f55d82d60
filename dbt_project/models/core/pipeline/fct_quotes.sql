with quotes as (

    select * from {{ ref('stg_orders__quotes') }}

),

opportunities as (

    select opportunity_no from {{ ref('stg_orders__opportunities') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'orders'

)

select
    'orders|quote|' || quotes.quote_no as quote_key,
    'orders|opportunity|' || opportunities.opportunity_no as opportunity_key,
    customer_records.customer_id,
    'orders' as source_system,
    quotes.customer_no as source_record_id,
    quotes.quote_no,
    quotes.quoted_date,
    quotes.valid_until,
    {{ money('quotes.amount') }} as amount,
    quotes.currency_code
from quotes
left join opportunities on quotes.opportunity_no = opportunities.opportunity_no
left join customer_records on quotes.customer_no = customer_records.source_record_id
