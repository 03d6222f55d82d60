{% set zone = source_zone('his', 'medical_orders') %}

with source as (

    select *
    from {{ source('his', 'medical_orders') }}
    where {{ current_rows() }}

),

renamed as (

    select
        medical_order_id,
        visit_no,

        order_kind,

        {{ to_utc('ordered_at', zone) }} as ordered_at,
        {{ local_date('ordered_at') }} as ordered_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
