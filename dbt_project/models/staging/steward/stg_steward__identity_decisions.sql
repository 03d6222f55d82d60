{% set zone = source_zone('steward', 'identity_decisions') %}

with source as (

    select *
    from {{ source('steward', 'identity_decisions') }}
    where {{ current_rows() }}

),

renamed as (

    select
        decision_id,
        decision,
        left_source_system,
        left_source_record_id,
        right_source_system,
        right_source_record_id,

        reason,
        decided_by,
        {{ to_utc('decided_at', zone) }} as decided_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
