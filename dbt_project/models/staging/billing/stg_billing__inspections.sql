{% set zone = source_zone('billing', 'inspections') %}

with source as (

    select *
    from {{ source('billing', 'inspections') }}
    where {{ current_rows() }}

),

renamed as (

    select
        inspection_no,
        account_no,

        hazard_found,

        inspected_date,
        due_date,
        rectified_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
