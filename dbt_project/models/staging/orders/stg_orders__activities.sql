{% set zone = source_zone('orders', 'activities') %}

with source as (

    select *
    from {{ source('orders', 'activities') }}
    where {{ current_rows() }}

),

renamed as (

    select
        activity_no,
        customer_no,

        activity_kind,
        salesperson,

        cost,
        currency_code,

        {{ to_utc('happened_at', zone) }} as happened_at,
        {{ local_date('happened_at') }} as happened_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
