{% set zone = source_zone('orders', 'price_lists') %}

with source as (

    select *
    from {{ source('orders', 'price_lists') }}
    where {{ current_rows() }}

),

renamed as (

    select
        price_list_no,
        product_no,

        list_price,
        currency_code,

        valid_from,
        valid_to,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
