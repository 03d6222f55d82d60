{% set zone = source_zone('orders', 'quotes') %}

with source as (

    select *
    from {{ source('orders', 'quotes') }}
    where {{ current_rows() }}

),

renamed as (

    select
        quote_no,
        opportunity_no,
        customer_no,

        amount,
        currency_code,

        quoted_date,
        valid_until,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
