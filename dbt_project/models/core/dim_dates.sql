with days as (

    {{ date_spine("'" ~ var('dates_from') ~ "'", "'" ~ var('dates_to') ~ "'") }}

)

select
    date_day,
    {{ month_start('date_day') }} as month_start,
    {{ month_end('date_day') }} as month_end,
    cast(extract(year from date_day) as integer) as calendar_year,
    cast(extract(quarter from date_day) as integer) as calendar_quarter,
    cast(extract(month from date_day) as integer) as calendar_month,
    {{ iso_weekday('date_day') }} as iso_weekday,
    date_day = {{ month_end('date_day') }} as is_month_end
from days
