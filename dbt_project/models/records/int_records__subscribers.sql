with subscriptions as (

    select * from {{ ref('stg_billing__subscriptions') }}

),

records as (

    select
        'billing' as source_system,
        customer_no as source_record_id,
        'subscriber' as record_kind,
        'person' as party_kind,

        cast(null as {{ text_type() }}) as full_name,
        cast(null as {{ text_type() }}) as name_norm,
        cast(null as {{ text_type() }}) as name_pinyin,

        nullif(sex, 'U') as sex,
        cast(null as date) as birth_date,
        cast(null as {{ text_type() }}) as identity_no_norm,
        cast(null as {{ text_type() }}) as identity_no_hash,
        cast(null as {{ text_type() }}) as phone,
        cast(null as {{ text_type() }}) as phone_norm,
        cast(null as {{ text_type() }}) as phone_hash,
        cast(null as {{ text_type() }}) as email,
        cast(null as {{ text_type() }}) as email_norm,
        cast(null as {{ text_type() }}) as email_hash,
        cast(null as {{ text_type() }}) as address,
        cast(null as {{ text_type() }}) as address_norm,
        cast(null as {{ text_type() }}) as region,

        cast(null as date) as first_seen_date,
        cast(null as timestamp) as updated_at,
        cast(null as {{ text_type() }}) as named_record_key
    from subscriptions

)

select * from records
