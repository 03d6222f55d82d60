-- What is to be paid on a debt in the end: the amount issued and its adjustments.
with receivables as (

    select * from {{ ref('int_receivables') }}

),

adjustments as (

    select receivable_key, sum(amount) as adjusted_amount
    from {{ ref('fct_receivable_events') }}
    where event_type = 'adjusted'
    group by receivable_key

)

select
    receivables.receivable_key,
    receivables.customer_id,
    receivables.source_system,
    receivables.currency_code,
    receivables.issued_date,
    receivables.due_date,
    receivables.amount,
    {{ money('coalesce(adjustments.adjusted_amount, 0)') }} as adjusted_amount,
    {{ money('greatest(receivables.amount + coalesce(adjustments.adjusted_amount, 0), 0)') }}
        as due_amount
from receivables
left join adjustments on receivables.receivable_key = adjustments.receivable_key
