{% set zone = source_zone('billing', 'payments') %}

with source as (

    select *
    from {{ source('billing', 'payments') }}
    where {{ current_rows() }}

),

renamed as (

    select
        payment_no,
        account_no,
        bill_no,

        channel,
        reversal_reason,

        amount,
        currency_code,

        {{ to_utc('paid_at', zone) }} as paid_at,
        {{ local_date('paid_at') }} as paid_date,
        {{ to_utc('settled_at', zone) }} as settled_at,
        {{ local_date('settled_at') }} as settled_date,
        {{ to_utc('reversed_at', zone) }} as reversed_at,
        {{ local_date('reversed_at') }} as reversed_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
