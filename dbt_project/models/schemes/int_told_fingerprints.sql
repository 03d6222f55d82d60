-- What the points and the debts that now stand were told from; written last, so that a build that
-- broke off before is told again.
-- depends_on: {{ ref('int_debt_buckets') }}
-- depends_on: {{ ref('int_scheme_points') }}
with fingerprints as (
    select bucket, month, facts, fact_sum from {{ ref('int_fact_fingerprints') }}
    union all
    select bucket, month, facts, fact_sum from {{ ref('int_scheme_fingerprint') }}
)

select * from fingerprints
