with buying_days as (
    select customer_id, purchase_date, gross_amount from {{ ref('int_buying_days') }}
),

cut_offs as (
    select * from {{ ref('int_churn_cut_offs') }}
),

customers as (
    select customer_id, customer_type from {{ ref('int_customers') }}
),

by_customer as (
    select
        cut_offs.as_of_date,
        cut_offs.cut_date,
        cut_offs.is_training,
        buying_days.customer_id,
        min(buying_days.purchase_date) as first_date,
        max(buying_days.purchase_date) filter (
            where buying_days.purchase_date <= cut_offs.cut_date
        ) as last_date,
        sum(buying_days.gross_amount) filter (
            where buying_days.purchase_date <= cut_offs.cut_date
        ) as amount,
        count(*) filter (where buying_days.purchase_date <= cut_offs.cut_date) as purchases,
        count(*) filter (
            where buying_days.purchase_date <= cut_offs.cut_date
            and buying_days.purchase_date > cut_offs.recent_after
        ) as recent_purchases,
        count(*) filter (
            where buying_days.purchase_date <= cut_offs.recent_after
            and buying_days.purchase_date > cut_offs.earlier_after
        ) as earlier_purchases,
        count(*) filter (where buying_days.purchase_date > cut_offs.cut_date) as later_purchases
    from buying_days
    cross join cut_offs
    group by
        cut_offs.as_of_date, cut_offs.cut_date, cut_offs.is_training, buying_days.customer_id
),

in_days as (
    select
        *,
        {{ days_between('last_date', 'cut_date') }} as recency_days,
        {{ days_between('first_date', 'cut_date') }} as tenure_days,
        {{ days_between('first_date', 'last_date') }} as buying_span_days
    from by_customer
    where purchases > 0
),

with_rhythm as (
    select
        *,
        {{ rounded(ratio('buying_span_days', 'purchases - 1'), 4) }} as own_interval_days
    from in_days
),

features as (
    select
        with_rhythm.as_of_date,
        with_rhythm.customer_id,
        with_rhythm.is_training,
        case when with_rhythm.is_training then with_rhythm.later_purchases = 0 end as has_left,
        customers.customer_type,
        with_rhythm.recency_days,
        with_rhythm.tenure_days,
        cast(with_rhythm.purchases as bigint) as purchase_days,
        with_rhythm.own_interval_days,
        {{ rounded(ratio('with_rhythm.recency_days', 'with_rhythm.own_interval_days'), 4) }}
            as recency_in_own_intervals,
        cast(with_rhythm.recent_purchases as bigint) as recent_purchase_days,
        cast(with_rhythm.recent_purchases - with_rhythm.earlier_purchases as bigint)
            as change_in_purchase_days,
        {{ rounded(ratio('with_rhythm.amount', 'with_rhythm.purchases'), 4) }} as mean_amount
    from with_rhythm
    left join customers
        on with_rhythm.customer_id = customers.customer_id
)

select * from features
