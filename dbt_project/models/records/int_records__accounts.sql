with accounts as (

    select * from {{ ref('stg_billing__accounts') }}

),

records as (

    select
        'billing' as source_system,
        account_no as source_record_id,
        'account' as record_kind,
        holder_kind as party_kind,

        holder_name as full_name,
        holder_name_norm as name_norm,
        holder_name_pinyin as name_pinyin,

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
        address,
        address_norm,
        region,

        opened_date as first_seen_date,
        updated_at,
        cast(null as {{ text_type() }}) as named_record_key
    from accounts

)

select * from records
