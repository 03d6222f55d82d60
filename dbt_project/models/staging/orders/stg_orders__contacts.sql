{% set zone = source_zone('orders', 'contacts') %}

with source as (

    select *
    from {{ source('orders', 'contacts') }}
    where {{ current_rows() }}

),

renamed as (

    select
        contact_no,
        customer_no,

        contact_name,
        contact_name_norm,
        contact_name_pinyin,
        phone,
        phone_norm,
        phone_hash,
        email,
        email_norm,
        email_hash,

        job_title,

        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
