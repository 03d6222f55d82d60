{% set zone = source_zone('his', 'patients') %}

with source as (

    select *
    from {{ source('his', 'patients') }}
    where {{ current_rows() }}

),

renamed as (

    select
        patient_no,
        group_client_no,

        patient_name,
        patient_name_norm,
        patient_name_pinyin,
        sex,
        birth_date,
        identity_no,
        identity_no_norm,
        identity_no_hash,
        phone,
        phone_norm,
        phone_hash,
        email,
        email_norm,
        email_hash,
        address,
        address_norm,
        region,

        registered_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
