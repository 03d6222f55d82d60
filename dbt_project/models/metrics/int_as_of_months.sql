with as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

months as (
    {% for month in range(12) %}
    select as_of_date, {{ add_months('as_of_date', -month) }} as point_date from as_of_dates
    {%- if not loop.last %}
    union all
    {%- endif %}
    {% endfor %}
)

select * from months
