with states as (
    select * from {{ ref('int_receivable_states') }}
    where open_amount > 0
),

dates as (
    select as_of_dates.as_of_date, as_of_dates.year_starts_after
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join {{ ref('int_credit_dates') }} as told_again
        on as_of_dates.as_of_date = told_again.as_of_date
),

-- not int_receivable_positions, which would be every debt on every day first
positions as (
    {{ receivable_positions() }}
),

buckets as (
    select bucket, bucket_rank, lower_days, upper_days from {{ ref('ageing_buckets') }}
),

aged as (
    select
        positions.as_of_date,
        positions.customer_id,
        positions.source_system,
        buckets.bucket,
        buckets.bucket_rank,
        positions.currency_code,
        count(*) as open_count,
        {{ money('sum(positions.open_amount)') }} as open_amount,
        {{ money('sum(positions.open_amount * positions.exchange_rate)') }}
            as open_amount_reporting
    from positions
    inner join buckets
        on (buckets.lower_days is null or positions.days_past_due >= buckets.lower_days)
            and (buckets.upper_days is null or positions.days_past_due <= buckets.upper_days)
    group by
        positions.as_of_date,
        positions.customer_id,
        positions.source_system,
        buckets.bucket,
        buckets.bucket_rank,
        positions.currency_code
),

typed as (
    select
        as_of_date,
        customer_id,
        source_system,
        bucket,
        bucket_rank,
        open_count,
        open_amount,
        currency_code,
        open_amount_reporting,
        '{{ var("reporting_currency") }}' as reporting_currency
    from aged
)

select * from typed
