with patients as (

    select * from {{ ref('stg_his__patients') }}

),

records as (

    select
        'his' as source_system,
        patient_no as source_record_id,
        'patient' as record_kind,
        'person' as party_kind,

        patient_name as full_name,
        patient_name_norm as name_norm,
        patient_name_pinyin as name_pinyin,

        nullif(sex, 'U') as sex,
        birth_date,
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

        registered_date as first_seen_date,
        updated_at,
        cast(null as {{ text_type() }}) as named_record_key
    from patients

)

select * from records
