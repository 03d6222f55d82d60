-- A customer under two valid identity numbers was tied by a chain of weaker identifiers.
{{ config(severity='warn') }}

select
    customer_id,
    count(distinct identity_no_norm) as identity_number_count,
    count(*) as record_count
from {{ ref('int_customer_records') }}
group by customer_id
having count(distinct identity_no_norm) > 1
