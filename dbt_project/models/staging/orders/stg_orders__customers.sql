{% set zone = source_zone('orders', 'customers') %}

with source as (

    select *
    from {{ source('orders', 'customers') }}
    where {{ current_rows() }}

),

renamed as (

    select
        customer_no,
        referred_by,

        customer_name,
        customer_name_norm,
        customer_name_pinyin,
        customer_kind,
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

        payment_terms_days,

        estimated_annual_demand,
        currency_code,

        created_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
