{% set zone = source_zone('orders', 'returns') %}

with source as (

    select *
    from {{ source('orders', 'returns') }}
    where {{ current_rows() }}

),

renamed as (

    select
        return_no,
        order_no,

        reason,

        line_no,
        quantity,

        amount,

        {{ to_utc('returned_at', zone) }} as returned_at,
        {{ local_date('returned_at') }} as returned_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
