with inspections as (

    select * from {{ ref('stg_billing__inspections') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'billing'

)

select
    'billing|inspection|' || inspections.inspection_no as inspection_key,
    customer_records.customer_id,
    'billing' as source_system,
    inspections.account_no as source_record_id,
    inspections.hazard_found,
    inspections.inspected_date,
    inspections.due_date,
    inspections.rectified_date
from inspections
left join customer_records on inspections.account_no = customer_records.source_record_id
