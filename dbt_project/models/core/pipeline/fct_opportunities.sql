with opportunities as (

    select * from {{ ref('stg_orders__opportunities') }}

),

leads as (

    select lead_no, customer_no from {{ ref('stg_orders__leads') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'orders'

),

-- an opportunity that names no buyer is that of the buyer its lead became
with_buyer as (

    select
        opportunities.*,
        leads.lead_no as known_lead_no,
        coalesce(opportunities.customer_no, leads.customer_no) as source_record_id
    from opportunities
    left join leads on opportunities.lead_no = leads.lead_no

)

select
    'orders|opportunity|' || with_buyer.opportunity_no as opportunity_key,
    'orders|lead|' || with_buyer.known_lead_no as lead_key,
    customer_records.customer_id,
    'orders' as source_system,
    with_buyer.source_record_id,
    with_buyer.opportunity_no,
    with_buyer.stage,
    with_buyer.outcome,
    with_buyer.opened_date,
    with_buyer.closed_date,
    {{ money('with_buyer.expected_amount') }} as expected_amount,
    with_buyer.currency_code
from with_buyer
left join customer_records on with_buyer.source_record_id = customer_records.source_record_id
