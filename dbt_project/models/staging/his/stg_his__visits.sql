{% set zone = source_zone('his', 'visits') %}

with source as (

    select *
    from {{ source('his', 'visits') }}
    where {{ current_rows() }}

),

renamed as (

    select
        visit_no,
        patient_no,
        payer_kind,
        payer_no,
        guarantor_no,
        department_no,

        doctor,
        visit_kind,
        discharge_condition,

        {{ to_utc('admitted_at', zone) }} as admitted_at,
        {{ local_date('admitted_at') }} as admitted_date,
        {{ to_utc('discharged_at', zone) }} as discharged_at,
        {{ local_date('discharged_at') }} as discharged_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
