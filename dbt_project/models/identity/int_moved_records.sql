with previous_customers as (

    select * from {{ ref('int_previous_customers') }}

),

customer_records as (

    select record_key, age_key, customer_id from {{ ref('int_customer_records') }}

)

select
    previous_customers.record_key,
    customer_records.age_key,
    previous_customers.customer_id as customer_id_before,
    customer_records.customer_id as customer_id_after
from previous_customers
left join customer_records on previous_customers.record_key = customer_records.record_key
where
    customer_records.customer_id is null
    or previous_customers.customer_id <> customer_records.customer_id
