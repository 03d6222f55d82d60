with as_of_dates as (
    {% for as_of_date in as_of_dates() %}
    select cast('{{ as_of_date }}' as date) as as_of_date
    {%- if not loop.last %}
    union
    {%- endif %}
    {% endfor %}
),

with_windows as (
    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date asc nulls last) as previous_as_of_date,
        lead(as_of_date) over (order by as_of_date asc nulls last) as next_as_of_date,
        {{ add_months('as_of_date', -12) }} as year_starts_after,
        {{ add_months('as_of_date', -24) }} as two_years_start_after
    from as_of_dates
)

select * from with_windows
