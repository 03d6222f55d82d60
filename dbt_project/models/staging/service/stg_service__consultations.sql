{% set zone = source_zone('service', 'consultations') %}

with source as (

    select *
    from {{ source('service', 'consultations') }}
    where {{ current_rows() }}

),

renamed as (

    select
        consultation_no,
        caller_no,

        topic,

        {{ to_utc('asked_at', zone) }} as asked_at,
        {{ local_date('asked_at') }} as asked_date,
        {{ to_utc('answered_at', zone) }} as answered_at,
        {{ local_date('answered_at') }} as answered_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
