with violations as (

    select * from {{ ref('stg_billing__violations') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'billing'

)

select
    'billing|violation|' || violations.violation_no as violation_key,
    customer_records.customer_id,
    'billing' as source_system,
    violations.account_no as source_record_id,
    violations.violation_kind,
    violations.severity,
    violations.occurred_at,
    violations.occurred_date,
    violations.source_timezone
from violations
left join customer_records on violations.account_no = customer_records.source_record_id
