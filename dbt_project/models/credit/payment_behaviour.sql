with customer_metrics as (
    select
        as_of_date,
        customer_id,
        currency_code,
        billed_12m,
        collected_12m,
        collection_rate,
        on_time_share,
        days_late_mean,
        days_late_max,
        open_amount,
        overdue_amount,
        overdue_days_max,
        in_transit_amount,
        collection_count,
        bounced_count,
        arrears_months_12m,
        written_off_count,
        written_off_amount
    from {{ ref('customer_metrics') }}
    -- no debt, no behaviour
    where open_amount is not null
        and as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
),

states as (
    select * from {{ ref('int_receivable_states') }}
    where settled_date is not null
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

lateness as (
    select as_of_date, customer_id, {{ median('days_late') }} as days_late_median
    from positions
    where is_due_in_window
    group by as_of_date, customer_id
),

behaviour as (
    select
        metrics.as_of_date,
        metrics.customer_id,
        metrics.billed_12m as billed_amount,
        metrics.collected_12m as collected_amount,
        metrics.collection_rate,
        metrics.on_time_share,
        metrics.days_late_mean,
        cast(lateness.days_late_median as decimal(18, 1)) as days_late_median,
        metrics.days_late_max,
        metrics.open_amount,
        metrics.overdue_amount,
        metrics.overdue_days_max,
        metrics.in_transit_amount,
        metrics.collection_count,
        metrics.bounced_count,
        metrics.arrears_months_12m,
        metrics.written_off_count,
        metrics.written_off_amount,
        {{ rounded(ratio('365 * metrics.open_amount', 'metrics.billed_12m'), 4) }} as dso_days,
        {{ rounded(ratio(
            '365 * (metrics.open_amount - metrics.overdue_amount)', 'metrics.billed_12m'
        ), 4) }} as best_possible_dso_days,
        metrics.currency_code
    from customer_metrics as metrics
    left join lateness
        on metrics.as_of_date = lateness.as_of_date
            and metrics.customer_id = lateness.customer_id
)

select * from behaviour
