with customer_records as (

    select * from {{ ref('int_customer_records') }}

)

select
    source_system,
    source_record_id,
    record_kind,
    customer_id,
    match_rule,
    match_probability,
    first_seen_date as valid_from,
    cast(null as date) as valid_to
from customer_records
