{%- set told_credit = told_before('int_told_credit') -%}
with fingerprints as (
    select * from {{ ref('int_credit_fingerprints') }}
),

told as (
    {%- if told_credit is not none %}
    select * from {{ told_credit }}
    {%- else %}
    select * from fingerprints
    where 1 = 0
    {%- endif %}
)

select fingerprints.as_of_date
from fingerprints
left join told
    on fingerprints.as_of_date = told.as_of_date
        and fingerprints.previous_as_of_date is not distinct from told.previous_as_of_date
        and fingerprints.facts = told.facts
        and fingerprints.fact_sum = told.fact_sum
where told.as_of_date is null
