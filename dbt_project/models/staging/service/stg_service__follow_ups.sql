{% set zone = source_zone('service', 'follow_ups') %}

with source as (

    select *
    from {{ source('service', 'follow_ups') }}
    where {{ current_rows() }}

),

renamed as (

    select
        follow_up_no,
        caller_no,

        follow_up_kind,

        {{ to_utc('sent_at', zone) }} as sent_at,
        {{ local_date('sent_at') }} as sent_date,
        {{ to_utc('answered_at', zone) }} as answered_at,
        {{ local_date('answered_at') }} as answered_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
