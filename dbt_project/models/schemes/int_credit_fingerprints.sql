{#- What a credit table of a day is told from, besides the facts and the schemes. -#}
{%- set seeds = {
    'scorecards': ['scorecard', 'version', 'valid_from', 'base_points', 'score_offset',
        'score_factor', 'lowest_score', 'highest_score'],
    'scorecard_bins': ['scorecard', 'version', 'feature', 'feature_no', 'bin', 'lower', 'upper',
        'category', 'is_missing', 'points'],
    'credit_bands': ['scorecard', 'class_code', 'lower', 'upper', 'class_rank', 'label_en',
        'label_zh', 'proposed_decision', 'limit_months', 'highest_limit', 'yearly_rate',
        'needs_review'],
    'ageing_buckets': ['bucket', 'bucket_rank', 'lower_days', 'upper_days'],
    'scheme_classes': ['scheme', 'version', 'class_code', 'label_en', 'label_zh',
        'review_interval_months'],
} -%}
with by_month as (
    select month, facts, fact_sum from {{ ref('int_fact_fingerprints') }}
    union all
    select month, facts, fact_sum from {{ ref('int_scheme_fingerprint') }}
    {%- for seed, columns in seeds.items() %}
    union all
    select
        cast('1900-01-01' as date) as month,
        count(*) as facts,
        sum({{ fingerprint(columns) }}) as fact_sum
    from {{ ref(seed) }}
    {%- endfor %}
    union all
    select
        cast('1900-01-01' as date) as month,
        1 as facts,
        {{ fingerprint(["'" ~ code_of('credit') ~ "'"]) }} as fact_sum
),

summed as (
    select month, sum(facts) as facts, sum(fact_sum) as fact_sum
    from by_month
    group by month
),

as_of_dates as (
    select as_of_date, previous_as_of_date from {{ ref('int_as_of_dates') }}
)

-- A grade tells the one before it, so the day before belongs to it.
select
    as_of_dates.as_of_date,
    as_of_dates.previous_as_of_date,
    cast(sum(summed.facts) as bigint) as facts,
    cast(sum(summed.fact_sum) as decimal(38, 0)) as fact_sum
from as_of_dates
inner join summed
    on as_of_dates.as_of_date >= summed.month
group by as_of_dates.as_of_date, as_of_dates.previous_as_of_date
