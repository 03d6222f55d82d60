{% set zone = source_zone('orders', 'invoice_events') %}

with source as (

    select *
    from {{ source('orders', 'invoice_events') }}
    where {{ current_rows() }}

),

renamed as (

    select
        invoice_event_id,
        invoice_no,

        event_type,

        amount,

        {{ to_utc('event_at', zone) }} as event_at,
        {{ local_date('event_at') }} as event_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
