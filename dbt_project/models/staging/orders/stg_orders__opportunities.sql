{% set zone = source_zone('orders', 'opportunities') %}

with source as (

    select *
    from {{ source('orders', 'opportunities') }}
    where {{ current_rows() }}

),

renamed as (

    select
        opportunity_no,
        lead_no,
        customer_no,

        stage,
        outcome,

        expected_amount,
        currency_code,

        opened_date,
        closed_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
