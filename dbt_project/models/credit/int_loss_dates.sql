{{ config(schema='value') }}
{%- set told_probabilities = told_before('int_told_probabilities') -%}
with now_known as (
    select as_of_date, bucket, default_probability from {{ ref('int_default_probabilities') }}
),

told as (
    {%- if told_probabilities is none %}
    select as_of_date, bucket, default_probability from now_known
    where 1 = 0
    {%- else %}
    select as_of_date, bucket, default_probability from {{ told_probabilities }}
    {%- endif %}
)

-- Chances of default hang on all months known by the day, so on the other days that are asked for
-- as well.
select as_of_date from {{ ref('int_credit_dates') }}
union
select now_known.as_of_date
from now_known
left join told
    on now_known.as_of_date = told.as_of_date
        and now_known.bucket = told.bucket
        and now_known.default_probability = told.default_probability
where told.as_of_date is null
