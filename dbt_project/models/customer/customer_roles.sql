-- The patient, the payer and the guarantor of a visit may be three customers; a person who acts for
-- an organisation is none of its records.
with customer_records as (

    select * from {{ ref('int_customer_records') }}

),

visits as (

    select * from {{ ref('fct_visits') }}

),

roles as (

    select customer_id, source_system, record_kind as role, first_seen_date as since_date
    from customer_records
    where record_kind <> 'patient' and record_kind <> 'group_client'

    union all

    select customer_id, source_system, 'patient', admitted_date from visits

    union all

    select payer_customer_id, source_system, 'payer', admitted_date from visits

    union all

    select guarantor_customer_id, source_system, 'guarantor', admitted_date from visits

)

select
    customer_id,
    source_system,
    role,
    count(*) as times,
    min(since_date) as since_date
from roles
where customer_id is not null
group by customer_id, source_system, role
