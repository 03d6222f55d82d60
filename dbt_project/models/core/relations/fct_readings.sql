with readings as (

    select * from {{ ref('stg_billing__readings') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'billing'

)

select
    'billing|reading|' || readings.account_no || '|' || readings.period as reading_key,
    customer_records.customer_id,
    'billing' as source_system,
    readings.account_no as source_record_id,
    readings.period,
    readings.read_date,
    readings.kwh,
    readings.peak_kwh,
    readings.flat_kwh,
    readings.valley_kwh
from readings
left join customer_records on readings.account_no = customer_records.source_record_id
