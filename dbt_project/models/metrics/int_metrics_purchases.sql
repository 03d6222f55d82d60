with purchase_days as (
    select * from {{ ref('int_purchase_days') }}
),

stale_buckets as (
    select * from {{ ref('int_stale_buckets') }}
),

-- Customers whose purchases the day sees otherwise: a cancellation came after it.
cancelled_later as (
    select customer_id, as_of_date from {{ ref('int_purchase_sets') }}
    where as_of_date is not null
),

in_two_years as (
    select
        stale_buckets.as_of_date,
        purchase_days.customer_id,
        purchase_days.as_of_date is null as is_lasting,
        purchase_days.documents,
        purchase_days.orders,
        purchase_days.gross_amount,
        purchase_days.margin_amount,
        purchase_days.gross_with_known_margin,
        purchase_days.purchase_date > stale_buckets.year_starts_after as is_in_year
    from purchase_days
    inner join stale_buckets
        on {{ bucket_of('purchase_days.customer_id') }} = stale_buckets.bucket
            and purchase_days.purchase_date > stale_buckets.two_years_start_after
            and purchase_days.purchase_date <= stale_buckets.as_of_date
            and (
                purchase_days.as_of_date is null
                or purchase_days.as_of_date = stale_buckets.as_of_date
            )
),

summed as (
    select
        as_of_date,
        customer_id,
        is_lasting,
        cast(sum(case when is_in_year then documents else 0 end) as bigint) as frequency_12m,
        cast(sum(case when is_in_year then orders else 0 end) as bigint) as order_count_12m,
        sum(case when is_in_year then gross_amount end) as monetary_12m,
        sum(case when not is_in_year then gross_amount end) as monetary_previous_12m,
        sum(case when is_in_year then margin_amount end) as margin_12m,
        sum(case when is_in_year then gross_with_known_margin end) as gross_with_known_margin_12m
    from in_two_years
    group by as_of_date, customer_id, is_lasting
)

select
    summed.as_of_date,
    summed.customer_id,
    summed.frequency_12m,
    summed.order_count_12m,
    summed.monetary_12m,
    summed.monetary_previous_12m,
    summed.margin_12m,
    summed.gross_with_known_margin_12m
from summed
left join cancelled_later
    on summed.customer_id = cancelled_later.customer_id
        and summed.as_of_date = cancelled_later.as_of_date
where not summed.is_lasting or cancelled_later.customer_id is null
