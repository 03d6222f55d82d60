-- What this build has to remember: records with another customer than before, and records that
-- are gone.
with customer_records as (

    select * from {{ ref('int_customer_records') }}

),

previous_customers as (

    select * from {{ ref('int_previous_customers') }}

),

changed as (

    select
        customer_records.record_key,
        customer_records.customer_id,
        customer_records.match_rule,
        customer_records.match_probability
    from customer_records
    left join previous_customers on customer_records.record_key = previous_customers.record_key
    where
        previous_customers.customer_id is null
        or previous_customers.customer_id <> customer_records.customer_id

    union all

    select
        previous_customers.record_key,
        cast(null as {{ text_type() }}) as customer_id,
        cast(null as {{ text_type() }}) as match_rule,
        cast(null as decimal(5, 4)) as match_probability
    from previous_customers
    left join customer_records on previous_customers.record_key = customer_records.record_key
    where customer_records.record_key is null

)

select
    record_key,
    {{ newest_as_of_date() }} as valid_from,
    customer_id,
    match_rule,
    match_probability
from changed
