with buying_days as (
    select
        as_of_date,
        customer_id,
        purchase_date,
        gross_amount,
        min(purchase_date) over (partition by customer_id) as first_date
    from {{ ref('int_buying_days') }}
),

settings as (
    select cast(max(value) as integer) as holdout_months
    from {{ ref('model_settings') }}
    where setting = 'holdout_months'
),

with_cut as (
    select
        buying_days.*,
        {{ add_months('buying_days.as_of_date', '0 - settings.holdout_months') }} as cut_date
    from buying_days
    cross join settings
),

by_customer as (
    select
        customer_id,
        max(as_of_date) as as_of_date,
        max(cut_date) as cut_date,
        max(first_date) as first_date,
        max(purchase_date) as last_date,
        count(*) - 1 as repeat_purchases,
        sum(gross_amount) as amount,
        sum(gross_amount) filter (where purchase_date > first_date) as repeat_amount,
        count(*) filter (where purchase_date <= cut_date) as purchases_before,
        max(purchase_date) filter (where purchase_date <= cut_date) as last_date_before,
        sum(gross_amount) filter (where purchase_date <= cut_date) as amount_before,
        sum(gross_amount) filter (where purchase_date > first_date and purchase_date <= cut_date)
            as repeat_amount_before,
        count(*) filter (where purchase_date > cut_date) as holdout_purchases,
        coalesce(sum(gross_amount) filter (where purchase_date > cut_date), 0) as holdout_amount
    from with_cut
    group by customer_id
),

as_days as (
    select
        as_of_date,
        customer_id,
        cast(repeat_purchases as bigint) as repeat_purchases,
        {{ days_between('first_date', 'last_date') }} as days_to_last_purchase,
        {{ days_between('first_date', 'as_of_date') }} as days_observed,
        {{ rounded(ratio('amount', 'repeat_purchases + 1'), 4) }} as mean_amount,
        {{ rounded(ratio('repeat_amount', 'repeat_purchases'), 4) }} as mean_repeat_amount,
        case when purchases_before > 0 then cast(purchases_before - 1 as bigint) end
            as calibration_repeat_purchases,
        case when purchases_before > 0 then {{ days_between('first_date', 'last_date_before') }} end
            as calibration_days_to_last_purchase,
        case when purchases_before > 0 then {{ days_between('first_date', 'cut_date') }} end
            as calibration_days_observed,
        {{ rounded(ratio('amount_before', 'purchases_before'), 4) }} as calibration_mean_amount,
        {{ rounded(ratio('repeat_amount_before', 'purchases_before - 1'), 4) }}
            as calibration_mean_repeat_amount,
        {{ money('holdout_amount', 4) }} as holdout_amount,
        cast(holdout_purchases as bigint) as holdout_purchases,
        {{ days_between('cut_date', 'as_of_date') }} as holdout_days
    from by_customer
)

select * from as_days
