{{ config(
    pre_hook=[
        "{{ forget_told_again(ref('int_stale_buckets'), true) }}",
        "{{ forget_unasked_dates() }}",
    ],
) }}
with states as (
    select
        receivable_key,
        customer_id,
        source_system,
        currency_code,
        due_date,
        valid_from,
        valid_to,
        open_amount,
        exchange_rate
    from {{ ref('int_receivable_states') }}
    where open_amount > 0
),

stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
),

buckets as (
    select bucket, bucket_rank, lower_days, upper_days from {{ ref('ageing_buckets') }}
),

open_debts as (
    select
        stale_buckets.as_of_date,
        states.receivable_key,
        states.customer_id,
        states.source_system,
        states.currency_code,
        states.due_date,
        states.open_amount,
        states.exchange_rate,
        {{ days_between('states.due_date', 'stale_buckets.as_of_date') }} as days_past_due
    from states
    inner join stale_buckets
        on {{ bucket_of('states.customer_id') }} = stale_buckets.bucket
            and states.valid_from <= stale_buckets.as_of_date
            and (states.valid_to is null or states.valid_to > stale_buckets.as_of_date)
)

select
    open_debts.as_of_date,
    open_debts.receivable_key,
    open_debts.customer_id,
    open_debts.source_system,
    open_debts.currency_code,
    open_debts.due_date,
    open_debts.days_past_due,
    buckets.bucket,
    buckets.bucket_rank,
    open_debts.open_amount,
    {{ money('open_debts.open_amount * open_debts.exchange_rate') }} as open_amount_reporting
from open_debts
inner join buckets
    on (buckets.lower_days is null or open_debts.days_past_due >= buckets.lower_days)
        and (buckets.upper_days is null or open_debts.days_past_due <= buckets.upper_days)
