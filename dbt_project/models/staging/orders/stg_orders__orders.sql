{% set zone = source_zone('orders', 'orders') %}

with source as (

    select *
    from {{ source('orders', 'orders') }}
    where {{ current_rows() }}

),

renamed as (

    select
        order_no,
        customer_no,
        quote_no,
        promotion_no,

        order_status,
        channel,

        currency_code,

        {{ to_utc('ordered_at', zone) }} as ordered_at,
        {{ local_date('ordered_at') }} as ordered_date,
        promised_date,
        {{ to_utc('cancelled_at', zone) }} as cancelled_at,
        {{ local_date('cancelled_at') }} as cancelled_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
