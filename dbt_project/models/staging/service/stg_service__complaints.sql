{% set zone = source_zone('service', 'complaints') %}

with source as (

    select *
    from {{ source('service', 'complaints') }}
    where {{ current_rows() }}

),

renamed as (

    select
        complaint_no,
        caller_no,

        complaint_kind,
        cause,
        department,
        satisfied,

        {{ to_utc('opened_at', zone) }} as opened_at,
        {{ local_date('opened_at') }} as opened_date,
        {{ to_utc('answered_at', zone) }} as answered_at,
        {{ local_date('answered_at') }} as answered_date,
        {{ to_utc('closed_at', zone) }} as closed_at,
        {{ local_date('closed_at') }} as closed_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
