{% set zone = source_zone('his', 'billing_events') %}

with source as (

    select *
    from {{ source('his', 'billing_events') }}
    where {{ current_rows() }}

),

renamed as (

    select
        event_no,
        case_no,

        activity,
        state,
        case_type,
        close_code,
        is_closed = 'True' as is_closed,
        is_cancelled = 'True' as is_cancelled,

        {{ to_utc('event_at', zone) }} as event_at,
        {{ local_date('event_at') }} as event_date,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
