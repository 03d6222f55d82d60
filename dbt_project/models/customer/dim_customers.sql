with customers as (

    select * from {{ ref('int_customers') }}

)

select
    customer_id,
    customer_type,
    case
        when customer_type = 'organisation' then {{ mask_organisation_name('full_name') }}
        else {{ mask_person_name('coalesce(name_norm, full_name)') }}
    end as display_name,
    region,
    first_seen_date,
    cast(source_count as integer) as source_count,
    cast(record_count as integer) as record_count,
    in_billing,
    in_his,
    in_orders,
    in_service,
    {{ mask_phone('phone') }} as phone_masked,
    {{ mask_email('email') }} as email_masked,
    phone_hash,
    email_hash,
    identity_no_hash,
    '{{ env_var("KEHU_HASH_KEY_ID", "k1") }}' as hash_key_id
from customers
