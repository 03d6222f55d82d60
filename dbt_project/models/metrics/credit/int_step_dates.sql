{%- set told_steps = told_before('int_roll_steps') -%}
with steps as (
    select as_of_date, previous_as_of_date
    from {{ ref('int_month_steps') }}
    where previous_as_of_date is not null
),

told as (
    {%- if told_steps is none %}
    select as_of_date, previous_as_of_date from steps
    where 1 = 0
    {%- else %}
    select distinct as_of_date, previous_as_of_date from {{ told_steps }}
    {%- endif %}
),

stale as (
    select distinct as_of_date from {{ ref('int_stale_buckets') }}
)

-- What a day and the one before it know changed, or they are another pair: a day that is the last
-- of its month no longer has no step.
select coalesce(steps.as_of_date, told.as_of_date) as as_of_date
from steps
full outer join told
    on steps.as_of_date = told.as_of_date
left join stale
    on coalesce(steps.as_of_date, told.as_of_date) = stale.as_of_date
where steps.previous_as_of_date is distinct from told.previous_as_of_date
    or stale.as_of_date is not null
