{% set zone = source_zone('orders', 'shipments') %}

with source as (

    select *
    from {{ source('orders', 'shipments') }}
    where {{ current_rows() }}

),

renamed as (

    select
        shipment_no,
        order_no,

        carrier,

        {{ to_utc('shipped_at', zone) }} as shipped_at,
        {{ local_date('shipped_at') }} as shipped_date,
        {{ to_utc('delivered_at', zone) }} as delivered_at,
        {{ local_date('delivered_at') }} as delivered_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
