with customers as (

    select * from {{ ref('stg_orders__customers') }}

),

records as (

    select
        'orders' as source_system,
        customer_no as source_record_id,
        'buyer' as record_kind,
        coalesce(customer_kind, 'organisation') as party_kind,

        customer_name as full_name,
        customer_name_norm as name_norm,
        customer_name_pinyin as name_pinyin,

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

        created_date as first_seen_date,
        updated_at,
        cast(null as {{ text_type() }}) as named_record_key
    from customers

)

select * from records
