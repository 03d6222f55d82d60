{#- What a value table of a day is told from, besides the facts and the schemes. -#}
{%- set seeds = {
    'scheme_classes': ['scheme', 'version', 'class_code', 'label_en', 'label_zh'],
    'segment_references': ['segment', 'customer_share', 'kwh_share'],
    'pyramid_levels': ['customer_percent', 'label_en', 'label_zh'],
} -%}
with fingerprints as (
    {{ fingerprints_by_date('value', seeds, ['customer_type', 'region']) }}
)

select * from fingerprints
