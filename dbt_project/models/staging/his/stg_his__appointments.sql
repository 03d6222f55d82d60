{% set zone = source_zone('his', 'appointments') %}

with source as (

    select *
    from {{ source('his', 'appointments') }}
    where {{ current_rows() }}

),

renamed as (

    select
        appointment_no,
        patient_no,
        department_no,

        channel,
        outcome,

        {{ to_utc('booked_at', zone) }} as booked_at,
        {{ local_date('booked_at') }} as booked_date,
        {{ to_utc('slot_at', zone) }} as slot_at,
        {{ local_date('slot_at') }} as slot_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
