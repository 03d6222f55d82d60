with callers as (

    select * from {{ ref('stg_service__callers') }}

),

records as (

    select
        'service' as source_system,
        caller_no as source_record_id,
        'caller' as record_kind,
        'person' as party_kind,

        caller_name as full_name,
        caller_name_norm as name_norm,
        caller_name_pinyin as name_pinyin,

        cast(null as {{ text_type() }}) as sex,
        cast(null as date) as birth_date,
        identity_no_norm,
        identity_no_hash,
        phone,
        phone_norm,
        phone_hash,
        email,
        email_norm,
        email_hash,
        cast(null as {{ text_type() }}) as address,
        cast(null as {{ text_type() }}) as address_norm,
        cast(null as {{ text_type() }}) as region,

        created_date as first_seen_date,
        updated_at,
        named_system || '|' || named_record_id as named_record_key
    from callers

)

select * from records
