with group_clients as (

    select * from {{ ref('stg_his__group_clients') }}

),

records as (

    select
        'his' as source_system,
        group_client_no as source_record_id,
        'group_client' as record_kind,
        'organisation' as party_kind,

        client_name as full_name,
        client_name_norm as name_norm,
        client_name_pinyin as name_pinyin,

        cast(null as {{ text_type() }}) as sex,
        cast(null as date) as birth_date,
        credit_code_norm as identity_no_norm,
        credit_code_hash as identity_no_hash,
        phone,
        phone_norm,
        phone_hash,
        cast(null as {{ text_type() }}) as email,
        cast(null as {{ text_type() }}) as email_norm,
        cast(null as {{ text_type() }}) as email_hash,
        address,
        address_norm,
        region,

        cast(null as date) as first_seen_date,
        updated_at,
        cast(null as {{ text_type() }}) as named_record_key
    from group_clients

)

select * from records
