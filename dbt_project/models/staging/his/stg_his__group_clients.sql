{% set zone = source_zone('his', 'group_clients') %}

with source as (

    select *
    from {{ source('his', 'group_clients') }}
    where {{ current_rows() }}

),

renamed as (

    select
        group_client_no,

        client_name,
        client_name_norm,
        client_name_pinyin,
        credit_code,
        credit_code_norm,
        credit_code_hash,
        contact_name,
        phone,
        phone_norm,
        phone_hash,
        address,
        address_norm,
        region,

        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
