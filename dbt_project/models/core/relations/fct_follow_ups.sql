with follow_ups as (

    select * from {{ ref('stg_service__follow_ups') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'service'

)

select
    'service|follow_up|' || follow_ups.follow_up_no as follow_up_key,
    customer_records.customer_id,
    'service' as source_system,
    follow_ups.caller_no as source_record_id,
    follow_ups.follow_up_kind,
    follow_ups.sent_at,
    follow_ups.sent_date,
    follow_ups.answered_at,
    follow_ups.answered_date,
    follow_ups.source_timezone
from follow_ups
left join customer_records on follow_ups.caller_no = customer_records.source_record_id
