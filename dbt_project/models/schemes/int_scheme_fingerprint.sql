{%- set seeds = {
    'schemes': ['scheme', 'version', 'valid_from', 'missing_rule', 'eligible_metric'],
    'scheme_indicators': ['scheme', 'version', 'indicator', 'indicator_group', 'metric',
        'direction', 'weight', 'method', 'band_count', 'lower_bound', 'upper_bound',
        'missing_rule'],
    'scheme_bands': ['scheme', 'version', 'indicator', 'lower', 'upper', 'band', 'points'],
    'scheme_lookups': ['scheme', 'version', 'indicator', 'lookup_value', 'band', 'points'],
    'scheme_classes': ['scheme', 'version', 'class_code', 'lower', 'upper', 'class_rank'],
    'scheme_rules': ['scheme', 'version', 'rule_order', 'condition_no', 'class_code', 'subject',
        'operand', 'operator', 'threshold'],
} -%}
with row_sums as (
    {%- for seed, columns in seeds.items() %}
    select count(*) as facts, sum({{ fingerprint(columns) }}) as fact_sum from {{ ref(seed) }}
    union all
    {%- endfor %}
    select 1 as facts, {{ fingerprint([fingerprint_release(), "'" ~ code_of('schemes') ~ "'"]) }}
        as fact_sum
),

summed as (
    select
        'schemes' as bucket,
        cast('1900-01-01' as date) as month,
        cast(sum(facts) as bigint) as facts,
        cast(sum(fact_sum) as decimal(38, 0)) as fact_sum
    from row_sums
)

select * from summed
