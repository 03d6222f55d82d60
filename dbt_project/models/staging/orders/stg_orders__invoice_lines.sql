{% set zone = source_zone('orders', 'invoice_lines') %}

with source as (

    select *
    from {{ source('orders', 'invoice_lines') }}
    where {{ current_rows() }}

),

renamed as (

    select
        _row as row_no,
        invoice_no,
        customer_no,
        stock_code,

        description as stock_description,
        country,
        {{ starts_with('invoice_no', 'C') }} as is_cancellation,

        quantity,

        unit_price,
        'GBP' as currency_code,

        {{ to_utc('invoiced_at', zone) }} as invoiced_at,
        {{ local_date('invoiced_at') }} as invoiced_date,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
