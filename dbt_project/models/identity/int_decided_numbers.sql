{{ config(materialized='connected_components') }}

-- Who says that two records are one customer says that their identity numbers are one person's.
with decisions as (

    select * from {{ ref('int_identity_decisions') }}
    where decision = 'must_link'

),

records as (

    select * from {{ ref('int_source_records') }}

),

decided_records as (

    select left_record_key as record_key from decisions
    union
    select right_record_key as record_key from decisions

)

select
    left_record_key as left_node,
    right_record_key as right_node
from decisions

union all

select
    records.record_key as left_node,
    'number=' || records.identity_no_norm as right_node
from records
inner join decided_records on records.record_key = decided_records.record_key
where records.identity_no_norm is not null
