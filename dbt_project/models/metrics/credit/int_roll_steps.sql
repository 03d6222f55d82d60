{{ config(
    pre_hook=[
        "{{ forget_told_again(ref('int_step_dates'), false) }}",
        "{{ forget_unasked_dates() }}",
    ],
) }}
-- Where each open debt stood a month later: another bucket, settled, or written off.
with dates as (
    select as_of_date from {{ ref('int_step_dates') }}
),

debts as (
    select as_of_date, receivable_key, source_system, bucket, bucket_rank, open_amount_reporting
    from {{ ref('int_debt_buckets') }}
),

steps as (
    select steps.month, steps.as_of_date, steps.previous_as_of_date
    from {{ ref('int_month_steps') }} as steps
    inner join dates
        on steps.as_of_date = dates.as_of_date
    where steps.previous_as_of_date is not null
),

write_offs as (
    select receivable_key, min(valid_from) as written_off_date
    from {{ ref('int_receivable_states') }}
    where written_off_amount > 0
    group by receivable_key
),

before as (
    select
        steps.month,
        steps.previous_as_of_date,
        steps.as_of_date,
        debts.receivable_key,
        debts.source_system,
        debts.bucket,
        debts.bucket_rank,
        debts.open_amount_reporting
    from debts
    inner join steps
        on debts.as_of_date = steps.previous_as_of_date
)

select
    before.month,
    before.previous_as_of_date,
    before.as_of_date,
    before.receivable_key,
    before.source_system,
    before.bucket as from_bucket,
    before.bucket_rank as from_rank,
    case
        when after.bucket is not null then after.bucket
        when
            write_offs.written_off_date > before.previous_as_of_date
            and write_offs.written_off_date <= before.as_of_date
            then 'written off'
        else 'settled'
    end as to_bucket,
    before.open_amount_reporting as amount
from before
left join debts as after
    on before.as_of_date = after.as_of_date
        and before.receivable_key = after.receivable_key
left join write_offs
    on before.receivable_key = write_offs.receivable_key
