with leads as (

    select * from {{ ref('stg_orders__leads') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'orders'

)

select
    'orders|lead|' || leads.lead_no as lead_key,
    customer_records.customer_id,
    'orders' as source_system,
    leads.customer_no as source_record_id,
    leads.lead_no,
    leads.lead_source,
    leads.created_at,
    leads.created_date,
    leads.source_timezone
from leads
left join customer_records on leads.customer_no = customer_records.source_record_id
