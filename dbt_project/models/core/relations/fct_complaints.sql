with complaints as (

    select * from {{ ref('stg_service__complaints') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'service'

)

select
    'service|complaint|' || complaints.complaint_no as complaint_key,
    customer_records.customer_id,
    'service' as source_system,
    complaints.caller_no as source_record_id,
    complaints.complaint_kind,
    complaints.cause,
    complaints.department,
    complaints.satisfied,
    complaints.opened_at,
    complaints.opened_date,
    complaints.answered_at,
    complaints.answered_date,
    complaints.closed_at,
    complaints.closed_date,
    complaints.source_timezone
from complaints
left join customer_records on complaints.caller_no = customer_records.source_record_id
