{% set zone = source_zone('billing', 'meters') %}

with source as (

    select *
    from {{ source('billing', 'meters') }}
    where {{ current_rows() }}

),

renamed as (

    select
        meter_no,
        account_no,

        multiplier,

        installed_date,
        removed_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
