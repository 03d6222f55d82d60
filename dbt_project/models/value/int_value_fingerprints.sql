{#- What a value table of a day is told from, besides the facts and the schemes. -#}
{%- set seeds = {
    'scheme_classes': ['scheme', 'version', 'class_code', 'label_en', 'label_zh'],
    'segment_references': ['segment', 'customer_share', 'kwh_share'],
    'pyramid_levels': ['customer_percent', 'label_en', 'label_zh'],
} -%}
with fingerprints as (
    {{ fingerprints_by_date('value', seeds, ['customer_type', 'region']) }}
)

-- A move between classes is told by the last day of a month, from the day it is counted since.
select
    fingerprints.as_of_date,
    fingerprints.previous_as_of_date,
    steps.previous_as_of_date as previous_month_date,
    fingerprints.facts,
    fingerprints.fact_sum
from fingerprints
left join {{ ref('int_month_steps') }} as steps
    on fingerprints.as_of_date = steps.as_of_date
