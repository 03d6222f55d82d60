with records as (

    select * from {{ ref('int_source_records') }}

),

shared_identifiers as (

    select identifier_value from {{ ref('int_shared_identifiers') }}
    where identifier = 'identity_no_norm'

),

decided_numbers as (

    select * from {{ ref('int_decided_numbers') }}

),

numbers as (

    select
        records.record_key,
        records.age_key,
        'number=' || records.identity_no_norm as number
    from records
    left join shared_identifiers
        on records.identity_no_norm = shared_identifiers.identifier_value
    where records.identity_no_norm is not null and shared_identifiers.identifier_value is null

)

select
    numbers.record_key,
    numbers.age_key,
    coalesce(decided_numbers.component, numbers.number) as number_key
from numbers
left join decided_numbers on numbers.number = decided_numbers.node
