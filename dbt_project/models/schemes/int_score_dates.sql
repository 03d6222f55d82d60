-- depends_on: {{ ref('int_scheme_fingerprint') }}
{% set told_scores = told_before('int_scheme_points') -%}
{% set told_seeds = told_before('int_told_fingerprints') %}
with as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

stale_dates as ( -- noqa: ST03
    select distinct as_of_date from {{ ref('int_stale_buckets') }}
),

{% if told_scores is not none and told_seeds is not none -%}
told_dates as (
    select distinct as_of_date from {{ told_scores }}
),

unchanged_schemes as (
    select told.fact_sum
    from {{ told_seeds }} as told
    inner join {{ ref('int_scheme_fingerprint') }} as now_known
        on told.bucket = now_known.bucket
            and told.facts = now_known.facts
            and told.fact_sum = now_known.fact_sum
),

-- Places depend on everybody: one stale customer, and the whole date is scored again.
dates as (
    select as_of_dates.as_of_date
    from as_of_dates
    left join stale_dates
        on as_of_dates.as_of_date = stale_dates.as_of_date
    left join told_dates
        on as_of_dates.as_of_date = told_dates.as_of_date
    where stale_dates.as_of_date is not null
        or told_dates.as_of_date is null
        or (select count(*) from unchanged_schemes) = 0
)
{%- else -%}
dates as (
    select as_of_date from as_of_dates
)
{%- endif %}

select * from dates
