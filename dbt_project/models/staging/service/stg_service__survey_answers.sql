{% set zone = source_zone('service', 'survey_answers') %}

with source as (

    select *
    from {{ source('service', 'survey_answers') }}
    where {{ current_rows() }}

),

renamed as (

    select
        answer_no,
        caller_no,

        survey_code,
        dimension,

        item_no,
        score,

        {{ to_utc('answered_at', zone) }} as answered_at,
        {{ local_date('answered_at') }} as answered_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
