{% set zone = source_zone('orders', 'leads') %}

with source as (

    select *
    from {{ source('orders', 'leads') }}
    where {{ current_rows() }}

),

renamed as (

    select
        lead_no,
        referred_by,
        customer_no,

        lead_name,
        lead_name_norm,
        lead_name_pinyin,
        phone,
        phone_norm,
        phone_hash,

        lead_source,

        {{ to_utc('created_at', zone) }} as created_at,
        {{ local_date('created_at') }} as created_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
