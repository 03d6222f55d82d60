{% set zone = source_zone('service', 'callers') %}

with source as (

    select *
    from {{ source('service', 'callers') }}
    where {{ current_rows() }}

),

renamed as (

    select
        caller_no,
        named_system,
        named_record_id,

        caller_name,
        caller_name_norm,
        caller_name_pinyin,
        phone,
        phone_norm,
        phone_hash,
        email,
        email_norm,
        email_hash,
        identity_no,
        identity_no_norm,
        identity_no_hash,

        {{ to_utc('created_at', zone) }} as created_at,
        {{ local_date('created_at') }} as created_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
