{% set zone = source_zone('service', 'campaign_contacts') %}

with source as (

    select *
    from {{ source('service', 'campaign_contacts') }}
    where {{ current_rows() }}

),

renamed as (

    select
        campaign_no,
        caller_no,

        {{ to_utc('contacted_at', zone) }} as contacted_at,
        {{ local_date('contacted_at') }} as contacted_date,
        {{ to_utc('responded_at', zone) }} as responded_at,
        {{ local_date('responded_at') }} as responded_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
