{%- set told_facts = told_before('int_told_fingerprints') -%}
with now_known as (
    select bucket, month, facts, fact_sum from {{ ref('int_fact_fingerprints') }}
),

then_known as (
    {%- if told_facts is none %}
    select bucket, month, facts, fact_sum from now_known
    where 1 = 0
    {%- else %}
    select bucket, month, facts, fact_sum from {{ told_facts }}
    -- what the schemes were is int_score_dates' to compare
    where bucket <> 'schemes'
    {%- endif %}
),

buckets as (
    select bucket from now_known
    union
    select bucket from then_known
),

changes as (
    select
        coalesce(now_known.bucket, then_known.bucket) as bucket,
        coalesce(now_known.month, then_known.month) as month
    from now_known
    full outer join then_known
        on now_known.bucket = then_known.bucket
            and now_known.month = then_known.month
    where now_known.facts is distinct from then_known.facts
        or now_known.fact_sum is distinct from then_known.fact_sum
),

-- What changed for everybody stands in the bucket *.
changes_of_buckets as (
    select bucket, month from changes
    union all
    select buckets.bucket, changes.month
    from changes
    cross join buckets
    where changes.bucket = '*'
)

select bucket, min(month) as first_month
from changes_of_buckets
group by bucket
