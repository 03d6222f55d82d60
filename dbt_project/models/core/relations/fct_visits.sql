-- The patient, the payer and the guarantor of one visit may be three customers.
with visits as (

    select * from {{ ref('stg_his__visits') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'his'

)

select
    'his|visit|' || visits.visit_no as visit_key,
    patients.customer_id,
    payers.customer_id as payer_customer_id,
    guarantors.customer_id as guarantor_customer_id,
    'his' as source_system,
    visits.patient_no as source_record_id,
    visits.visit_no,
    visits.visit_kind,
    visits.payer_kind,
    visits.department_no,
    visits.doctor,
    visits.discharge_condition,
    visits.admitted_at,
    visits.admitted_date,
    visits.discharged_at,
    visits.discharged_date,
    visits.source_timezone
from visits
left join customer_records as patients on visits.patient_no = patients.source_record_id
left join customer_records as payers on visits.payer_no = payers.source_record_id
left join customer_records as guarantors on visits.guarantor_no = guarantors.source_record_id
