with steps as (
    select * from {{ ref('int_roll_steps') }}
),

buckets as (
    select bucket, bucket_rank from {{ ref('ageing_buckets') }}
),

moved as (
    select
        month,
        previous_as_of_date,
        as_of_date,
        source_system,
        from_bucket,
        from_rank,
        to_bucket,
        count(*) as debts,
        sum(amount) as amount
    from steps
    group by
        month, previous_as_of_date, as_of_date, source_system, from_bucket, from_rank, to_bucket
),

with_share as (
    select
        moved.*,
        sum(moved.amount) over (
            partition by moved.month, moved.source_system, moved.from_bucket
        ) as from_amount,
        buckets.bucket_rank as to_rank
    from moved
    left join buckets
        on moved.to_bucket = buckets.bucket
)

select
    month,
    previous_as_of_date,
    as_of_date,
    source_system,
    from_bucket,
    from_rank,
    to_bucket,
    case
        when to_bucket = 'settled' then 'cured'
        when to_bucket = 'written off' then 'lost'
        when to_rank > from_rank then 'worse'
        when to_rank < from_rank then 'better'
        else 'same'
    end as direction,
    debts,
    {{ money('amount') }} as amount,
    {{ rounded(ratio('amount', 'from_amount'), 6) }} as roll_rate,
    '{{ var("reporting_currency") }}' as currency_code
from with_share
