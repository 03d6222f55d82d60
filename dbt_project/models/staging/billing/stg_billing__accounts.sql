{% set zone = source_zone('billing', 'accounts') %}

with source as (

    select *
    from {{ source('billing', 'accounts') }}
    where {{ current_rows() }}

),

renamed as (

    select
        account_no,
        referred_by,

        holder_name,
        holder_name_norm,
        holder_name_pinyin,
        holder_kind,
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

        usage_category,
        importance_class,
        payment_mode,
        manager,

        supply_voltage_kv,
        contracted_capacity_kva,

        estimated_annual_demand,
        currency_code,

        opened_date,
        closed_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
