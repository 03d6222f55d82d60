with purchase_days as (
    select * from {{ ref('int_purchase_days') }}
),

stale_buckets as (
    select * from {{ ref('int_stale_buckets') }}
),

in_two_years as (
    select
        stale_buckets.as_of_date,
        purchase_days.*,
        purchase_days.purchase_date > stale_buckets.year_starts_after as is_in_year
    from purchase_days
    inner join stale_buckets
        on {{ bucket_of('purchase_days.customer_id') }} = stale_buckets.bucket
            and purchase_days.purchase_date > stale_buckets.two_years_start_after
            and purchase_days.purchase_date <= stale_buckets.as_of_date
            and (
                purchase_days.is_lasting
                or purchase_days.seen_until = stale_buckets.as_of_date
            )
),

metrics as (
    select
        as_of_date,
        customer_id,
        cast(sum(case when is_in_year then documents else 0 end) as bigint) as frequency_12m,
        cast(sum(case when is_in_year then orders else 0 end) as bigint) as order_count_12m,
        sum(case when is_in_year then gross_amount end) as monetary_12m,
        sum(case when not is_in_year then gross_amount end) as monetary_previous_12m,
        sum(case when is_in_year then margin_amount end) as margin_12m,
        sum(case when is_in_year then gross_with_known_margin end) as gross_with_known_margin_12m
    from in_two_years
    group by as_of_date, customer_id
)

select * from metrics
