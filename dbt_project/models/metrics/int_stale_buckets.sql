-- depends_on: {{ ref('int_changed_buckets') }}
{% set told_metrics = told_before('customer_metrics') -%}
{%- set told_facts = told_before('int_told_fingerprints') -%}
{%- set is_partial = told_metrics is not none and told_facts is not none %}
with now_known as (
    select * from {{ ref('int_fact_fingerprints') }}
),

as_of_dates as (
    select as_of_date, year_starts_after, two_years_start_after from {{ ref('int_as_of_dates') }}
),

{% if is_partial -%}
told_dates as (
    select distinct as_of_date from {{ told_metrics }}
),

changed as (
    select bucket, first_month from {{ ref('int_changed_buckets') }}
),

-- those whose last customer went are among the changed ones
buckets as (
    select bucket from now_known
    union
    select bucket from changed
),

stale as (
    select
        as_of_dates.as_of_date,
        buckets.bucket,
        told_dates.as_of_date is not null as was_told
    from as_of_dates
    cross join buckets
    left join told_dates
        on as_of_dates.as_of_date = told_dates.as_of_date
    left join changed
        on buckets.bucket = changed.bucket
    where told_dates.as_of_date is null
        or changed.first_month <= as_of_dates.as_of_date
),
{%- else -%}
stale as (
    select
        as_of_dates.as_of_date,
        buckets.bucket,
        false as was_told
    from as_of_dates
    cross join (select distinct bucket from now_known) as buckets
),
{%- endif %}

with_windows as (
    select
        stale.as_of_date,
        stale.bucket,
        stale.was_told,
        lag(stale.as_of_date) over (
            partition by stale.bucket
            order by stale.as_of_date asc nulls last
        ) as previous_as_of_date,
        as_of_dates.year_starts_after,
        as_of_dates.two_years_start_after
    from stale
    inner join as_of_dates
        on stale.as_of_date = as_of_dates.as_of_date
)

select * from with_windows
