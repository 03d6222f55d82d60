with positions as (
    select
        as_of_date,
        customer_id,
        source_system,
        currency_code,
        days_past_due,
        open_amount,
        exchange_rate
    from {{ ref('int_receivable_positions') }}
    where open_amount > 0
        and as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
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
