-- Chance that money of a bucket is in default within the months of `default_months`, by the
-- roll-rate matrix: a chain whose last states (default, settled) are never left. Default is
-- certain from the bucket that begins after `default_days` on.
with buckets as (
    select bucket, bucket_rank, coalesce(lower_days, 0) > {{ var('default_days') }} as is_default
    from {{ ref('ageing_buckets') }}
),

as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

matrix as ( -- noqa: ST03
    select as_of_date, from_bucket, to_bucket, roll_rate from {{ ref('int_roll_matrix') }}
),

chances_0 as (
    select
        as_of_dates.as_of_date,
        buckets.bucket,
        buckets.is_default,
        cast(case when buckets.is_default then 1 else 0 end as double) as probability
    from as_of_dates
    cross join buckets
    union all
    select as_of_date, 'written off' as bucket, true as is_default, cast(1 as double) as probability
    from as_of_dates
),
{% for month in range(1, var('default_months') | int + 1) %}
chances_{{ month }} as (
    select
        now.as_of_date,
        now.bucket,
        now.is_default,
        case
            when now.is_default then now.probability
            else coalesce(sum(matrix.roll_rate * later.probability), 0)
        end as probability
    from chances_0 as now
    left join matrix
        on now.as_of_date = matrix.as_of_date
            and now.bucket = matrix.from_bucket
            and not now.is_default
    left join chances_{{ month - 1 }} as later
        on matrix.as_of_date = later.as_of_date
            and matrix.to_bucket = later.bucket
    group by now.as_of_date, now.bucket, now.is_default, now.probability
),
{% endfor %}

typed as (
    select
        chances.as_of_date,
        buckets.bucket,
        buckets.bucket_rank,
        {{ rounded('least(chances.probability, 1)', 6, 9) }} as default_probability
    from chances_{{ var('default_months') | int }} as chances
    inner join buckets
        on chances.bucket = buckets.bucket
)

select * from typed
