{{ config(schema='value') }}
{%- set told_sample = told_before('int_told_sample') -%}
with now_known as (
    select as_of_date, facts, fact_sum from {{ ref('int_sample_fingerprints') }}
),

told as (
    {%- if told_sample is none %}
    select as_of_date, facts, fact_sum from now_known
    where 1 = 0
    {%- else %}
    select as_of_date, facts, fact_sum from {{ told_sample }}
    {%- endif %}
)

select coalesce(now_known.as_of_date, told.as_of_date) as as_of_date
from now_known
full outer join told
    on now_known.as_of_date = told.as_of_date
where now_known.facts is distinct from told.facts
    or now_known.fact_sum is distinct from told.fact_sum
