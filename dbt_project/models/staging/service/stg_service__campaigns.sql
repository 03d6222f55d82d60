{% set zone = source_zone('service', 'campaigns') %}

with source as (

    select *
    from {{ source('service', 'campaigns') }}
    where {{ current_rows() }}

),

renamed as (

    select
        campaign_no,

        campaign_name,
        channel,

        cost,
        currency_code,

        starts_date,
        ends_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
