with states as (
    select * from {{ ref('int_receivable_states') }}
),

dates as (
    select as_of_date, year_starts_after, bucket from {{ ref('int_stale_buckets') }}
),

positions as (
    {{ receivable_positions(by_bucket=true) }}
),

metrics as (
    select
        as_of_date,
        customer_id,
        cast(sum(due_amount * exchange_rate) filter (where is_issued_in_window) as decimal(18, 2))
            as billed_12m,
        cast(
            sum(least(paid_amount, due_amount) * exchange_rate) filter (where is_issued_in_window)
            as decimal(18, 2)
        ) as collected_12m,
        {{ rounded(ratio(
            'count(*) filter (where is_due_in_window and is_settled_on_time)',
            'count(*) filter (where is_due_in_window)'
        ), 6) }} as on_time_share,
        {{ rounded(ratio(
            'sum(days_late) filter (where is_due_in_window)',
            'count(days_late) filter (where is_due_in_window)'
        ), 6) }} as days_late_mean,
        max(coalesce(days_late, days_unpaid, 0)) filter (
            where is_due_in_window or open_amount > 0
        ) as days_late_max,
        cast(sum(open_amount * exchange_rate) as decimal(18, 2)) as open_amount,
        cast(
            coalesce(sum(open_amount * exchange_rate) filter (where is_overdue), 0)
            as decimal(18, 2)
        ) as overdue_amount,
        max(days_past_due) filter (where is_overdue) as overdue_days_max,
        count(*) filter (where is_overdue) as overdue_count
    from positions
    group by as_of_date, customer_id
)

select * from metrics
