{%- set until_then -%}
over (
            partition by spine.customer_id, spine.only_on
            order by spine.as_of_date asc nulls last
            rows between unbounded preceding and current row
        )
{%- endset -%}
with purchase_days as (
    select * from {{ ref('int_purchase_days') }}
),

-- Customers whose purchases the day sees otherwise: a cancellation came after it.
cancelled_later as (
    select customer_id, as_of_date from {{ ref('int_purchase_sets') }}
    where as_of_date is not null
),

stale_buckets as (
    select as_of_date, previous_as_of_date, bucket from {{ ref('int_stale_buckets') }}
),

-- Each purchase day counts once, at the first as-of date that sees it; the totals then run on.
first_seen_at as (
    select
        stale_buckets.as_of_date,
        purchase_days.customer_id,
        purchase_days.as_of_date as only_on,
        sum(purchase_days.gross_amount) as gross_amount,
        sum(purchase_days.documents) as documents,
        sum(purchase_days.orders) as orders,
        sum(purchase_days.new_product_classes) as new_product_classes,
        sum(purchase_days.discount_rate_sum) as discount_rate_sum,
        sum(purchase_days.discount_rate_count) as discount_rate_count,
        count(purchase_days.interval_days) as intervals,
        sum(purchase_days.interval_days) as interval_sum,
        sum(purchase_days.interval_days * purchase_days.interval_days) as interval_square_sum,
        max(purchase_days.purchase_date) as last_purchase_date,
        {{ max_by('purchase_days.last_system', 'purchase_days.purchase_date') }} as last_system
    from purchase_days
    inner join stale_buckets
        on {{ bucket_of('purchase_days.customer_id') }} = stale_buckets.bucket
            and (
                (
                    purchase_days.as_of_date is null
                    and purchase_days.purchase_date <= stale_buckets.as_of_date
                    and (
                        stale_buckets.previous_as_of_date is null
                        or purchase_days.purchase_date > stale_buckets.previous_as_of_date
                    )
                )
                or purchase_days.as_of_date = stale_buckets.as_of_date
            )
    group by stale_buckets.as_of_date, purchase_days.customer_id, purchase_days.as_of_date
),

first_purchases as (
    select customer_id, only_on, min(as_of_date) as first_as_of_date
    from first_seen_at
    group by customer_id, only_on
),

spine as (
    select stale_buckets.as_of_date, first_purchases.customer_id, first_purchases.only_on
    from first_purchases
    inner join stale_buckets
        on {{ bucket_of('first_purchases.customer_id') }} = stale_buckets.bucket
            and (
                stale_buckets.as_of_date = first_purchases.first_as_of_date
                or (
                    first_purchases.only_on is null
                    and stale_buckets.as_of_date > first_purchases.first_as_of_date
                )
            )
),

running as (
    select
        spine.as_of_date,
        spine.customer_id,
        spine.only_on,
        sum(first_seen_at.gross_amount) {{ until_then }} as monetary_total,
        sum(first_seen_at.documents) {{ until_then }} as frequency_total,
        sum(first_seen_at.orders) {{ until_then }} as order_count_total,
        sum(first_seen_at.new_product_classes) {{ until_then }} as product_class_count,
        sum(first_seen_at.discount_rate_sum) {{ until_then }} as discount_rate_sum,
        sum(first_seen_at.discount_rate_count) {{ until_then }} as discount_rate_count,
        sum(first_seen_at.intervals) {{ until_then }} as intervals,
        sum(first_seen_at.interval_sum) {{ until_then }} as interval_sum,
        sum(first_seen_at.interval_square_sum) {{ until_then }} as interval_square_sum,
        max(first_seen_at.last_purchase_date) {{ until_then }} as last_purchase_date,
        max(
            cast(first_seen_at.last_purchase_date as {{ text_type() }})
            || '|' || first_seen_at.last_system
        ) {{ until_then }} as last_purchase
    from spine
    left join first_seen_at
        on spine.as_of_date = first_seen_at.as_of_date
            and spine.customer_id = first_seen_at.customer_id
            and spine.only_on is not distinct from first_seen_at.only_on
),

with_interval_spread as (
    select
        running.*,
        case when intervals > 0 then {{ ratio('interval_sum', 'intervals') }} end
            as interval_mean,
        case
            when intervals > 1
                then sqrt(
                        greatest(
                            cast(interval_square_sum as double)
                            - {{ ratio(
                                'cast(interval_sum as double) * interval_sum', 'intervals'
                            ) }},
                            0
                        )
                        / cast(intervals - 1 as double)
                    )
        end as interval_deviation
    from running
),

metrics as (
    select
        as_of_date,
        customer_id,
        only_on,
        {{ days_between('last_purchase_date', 'as_of_date') }} as recency_days,
        cast(frequency_total as bigint) as frequency_total,
        cast(order_count_total as bigint) as order_count_total,
        {{ money('monetary_total', 4) }} as monetary_total,
        cast(product_class_count as bigint) as product_class_count,
        {{ rounded(ratio('discount_rate_sum', 'discount_rate_count'), 6) }} as discount_rate_mean,
        {{ rounded('interval_mean', 6) }} as order_interval_mean,
        {{ rounded(ratio('interval_deviation', 'interval_mean'), 6) }} as order_interval_cv,
        split_part(last_purchase, '|', 2) as last_system
    from with_interval_spread
)

select
    metrics.as_of_date,
    metrics.customer_id,
    metrics.recency_days,
    metrics.frequency_total,
    metrics.order_count_total,
    metrics.monetary_total,
    metrics.product_class_count,
    metrics.discount_rate_mean,
    metrics.order_interval_mean,
    metrics.order_interval_cv,
    metrics.last_system
from metrics
left join cancelled_later
    on metrics.customer_id = cancelled_later.customer_id
        and metrics.as_of_date = cancelled_later.as_of_date
where metrics.only_on is not null or cancelled_later.customer_id is null
