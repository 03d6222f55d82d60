{%- set told_value = told_before('int_told_value') -%}
with dates as (
    select as_of_date from {{ ref('int_value_fingerprints') }}
),

stale_dates as (
    select as_of_date from {{ ref('int_value_dates') }}
),

told_dates as (
    {%- if told_value is not none %}
    select as_of_date from {{ told_value }}
    {%- else %}
    select as_of_date from stale_dates
    where 1 = 0
    {%- endif %}
),

-- A day that nobody asks for any more ends periods as a new one does.
changed as (
    select min(as_of_date) as as_of_date
    from (
        select as_of_date from stale_dates
        union all
        select told_dates.as_of_date
        from told_dates
        left join dates
            on told_dates.as_of_date = dates.as_of_date
        where dates.as_of_date is null
    ) as changed_dates
),

kept as (
    select max(dates.as_of_date) as as_of_date
    from dates
    inner join changed
        on dates.as_of_date < changed.as_of_date
)

select
    dates.as_of_date,
    dates.as_of_date < changed.as_of_date as is_kept
from dates
cross join changed
cross join kept
where dates.as_of_date >= coalesce(kept.as_of_date, changed.as_of_date)
