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
        in_transit_amount
    from {{ ref('customer_metrics') }}
    -- no debt, no behaviour
    where open_amount is not null
),

behaviour as (
    select
        as_of_date,
        customer_id,
        billed_12m as billed_amount,
        collected_12m as collected_amount,
        collection_rate,
        on_time_share,
        days_late_mean,
        days_late_max,
        open_amount,
        overdue_amount,
        overdue_days_max,
        in_transit_amount,
        cast({{ ratio('365 * open_amount', 'billed_12m') }} as decimal(18, 4)) as dso_days,
        currency_code
    from customer_metrics
)

select * from behaviour
