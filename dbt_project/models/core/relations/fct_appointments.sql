with appointments as (

    select * from {{ ref('stg_his__appointments') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'his'

)

select
    'his|appointment|' || appointments.appointment_no as appointment_key,
    customer_records.customer_id,
    'his' as source_system,
    appointments.patient_no as source_record_id,
    appointments.department_no,
    appointments.channel,
    appointments.outcome,
    appointments.booked_at,
    appointments.booked_date,
    appointments.slot_at,
    appointments.slot_date,
    appointments.source_timezone
from appointments
left join customer_records on appointments.patient_no = customer_records.source_record_id
