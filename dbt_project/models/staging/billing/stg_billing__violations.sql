{% set zone = source_zone('billing', 'violations') %}

with source as (

    select *
    from {{ source('billing', 'violations') }}
    where {{ current_rows() }}

),

renamed as (

    select
        violation_no,
        account_no,

        violation_kind,
        severity,

        {{ to_utc('occurred_at', zone) }} as occurred_at,
        {{ local_date('occurred_at') }} as occurred_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
