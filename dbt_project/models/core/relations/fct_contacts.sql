with interactions as (

    select * from {{ ref('stg_service__interactions') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'service'

)

select
    'service|interaction|' || interactions.interaction_no as contact_key,
    customer_records.customer_id,
    'service' as source_system,
    interactions.caller_no as source_record_id,
    interactions.channel,
    interactions.direction,
    interactions.happened_at as contact_at,
    interactions.happened_date as contact_date,
    interactions.source_timezone,
    interactions.duration_seconds,
    {{ money('interactions.cost') }} as cost_amount,
    interactions.currency_code
from interactions
left join customer_records on interactions.caller_no = customer_records.source_record_id
