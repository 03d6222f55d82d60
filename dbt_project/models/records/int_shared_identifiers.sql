with identifiers as (

    select * from {{ ref('int_identifiers') }}

),

limits as (

    select * from {{ ref('identifier_limits') }}

),

shared as (

    select
        identifiers.identifier,
        identifiers.identifier_value,
        limits.reason,
        count(distinct identifiers.name_norm) as name_count,
        count(*) as record_count
    from identifiers
    inner join limits on identifiers.identifier = limits.identifier
    group by
        identifiers.identifier, identifiers.identifier_value, limits.reason, limits.max_names
    having count(distinct identifiers.name_norm) > limits.max_names

)

select * from shared
