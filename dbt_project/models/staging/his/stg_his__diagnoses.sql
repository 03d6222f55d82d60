{% set zone = source_zone('his', 'diagnoses') %}

with source as (

    select *
    from {{ source('his', 'diagnoses') }}
    where {{ current_rows() }}

),

renamed as (

    select
        diagnosis_id,
        visit_no,

        icd10,
        is_primary,

        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
