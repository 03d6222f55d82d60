{% set zone = source_zone('orders', 'promotions') %}

with source as (

    select *
    from {{ source('orders', 'promotions') }}
    where {{ current_rows() }}

),

renamed as (

    select
        promotion_no,

        promotion_name,

        discount_rate,

        starts_date,
        ends_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
