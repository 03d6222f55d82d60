{% set zone = source_zone('billing', 'readings') %}

with source as (

    select *
    from {{ source('billing', 'readings') }}
    where {{ current_rows() }}

),

renamed as (

    select
        account_no,
        period,

        kwh,
        peak_kwh,
        flat_kwh,
        valley_kwh,

        read_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
