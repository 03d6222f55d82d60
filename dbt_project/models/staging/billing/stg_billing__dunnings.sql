{% set zone = source_zone('billing', 'dunnings') %}

with source as (

    select *
    from {{ source('billing', 'dunnings') }}
    where {{ current_rows() }}

),

renamed as (

    select
        dunning_id,
        bill_no,

        channel,

        {{ to_utc('sent_at', zone) }} as sent_at,
        {{ local_date('sent_at') }} as sent_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
