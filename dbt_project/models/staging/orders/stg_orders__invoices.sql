{% set zone = source_zone('orders', 'invoices') %}

with source as (

    select *
    from {{ source('orders', 'invoices') }}
    where {{ current_rows() }}

),

renamed as (

    select
        invoice_no,
        order_no,
        customer_no,

        amount,
        currency_code,

        issued_date,
        due_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
