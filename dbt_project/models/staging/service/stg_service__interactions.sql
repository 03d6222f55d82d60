{% set zone = source_zone('service', 'interactions') %}

with source as (

    select *
    from {{ source('service', 'interactions') }}
    where {{ current_rows() }}

),

renamed as (

    select
        interaction_no,
        caller_no,

        channel,
        direction,

        duration_seconds,

        cost,
        currency_code,

        {{ to_utc('happened_at', zone) }} as happened_at,
        {{ local_date('happened_at') }} as happened_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
