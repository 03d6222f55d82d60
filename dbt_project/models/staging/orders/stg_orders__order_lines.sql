{% set zone = source_zone('orders', 'order_lines') %}

with source as (

    select *
    from {{ source('orders', 'order_lines') }}
    where {{ current_rows() }}

),

renamed as (

    select
        order_no,
        line_no,
        product_no,

        quantity,

        list_price,
        unit_price,
        unit_cost,

        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
