{% set zone = source_zone('orders', 'products') %}

with source as (

    select *
    from {{ source('orders', 'products') }}
    where {{ current_rows() }}

),

renamed as (

    select
        product_no,

        product_name,
        product_class,

        stock_quantity,

        unit_cost,
        currency_code,

        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
