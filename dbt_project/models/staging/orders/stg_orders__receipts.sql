{% set zone = source_zone('orders', 'receipts') %}

with source as (

    select *
    from {{ source('orders', 'receipts') }}
    where {{ current_rows() }}

),

renamed as (

    select
        receipt_no,
        customer_no,
        invoice_no,

        reversal_reason,

        amount,
        currency_code,

        {{ to_utc('received_at', zone) }} as received_at,
        {{ local_date('received_at') }} as received_date,
        {{ to_utc('settled_at', zone) }} as settled_at,
        {{ local_date('settled_at') }} as settled_date,
        {{ to_utc('reversed_at', zone) }} as reversed_at,
        {{ local_date('reversed_at') }} as reversed_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
