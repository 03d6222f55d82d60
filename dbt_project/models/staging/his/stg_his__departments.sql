{% set zone = source_zone('his', 'departments') %}

with source as (

    select *
    from {{ source('his', 'departments') }}
    where {{ current_rows() }}

),

renamed as (

    select
        department_no,

        department_name,
        department_kind,

        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
