{% set zone = source_zone('billing', 'bill_events') %}

with source as (

    select *
    from {{ source('billing', 'bill_events') }}
    where {{ current_rows() }}

),

renamed as (

    select
        bill_event_id,
        bill_no,

        event_type,

        amount,

        {{ to_utc('event_at', zone) }} as event_at,
        {{ local_date('event_at') }} as event_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
