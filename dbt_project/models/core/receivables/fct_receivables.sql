with receivables as (

    select * from {{ ref('int_receivables') }}

),

amounts_due as (

    select receivable_key, adjusted_amount, due_amount from {{ ref('int_amounts_due') }}

),

allocations as (

    select receivable_key, allocated_amount, settled_date
    from {{ ref('fct_receipt_allocations') }}
    where reversed_date is null and settled_date is not null

),

events as (

    select * from {{ ref('fct_receivable_events') }}

),

settlements as (

    select
        receivable_key,
        sum(allocated_amount) as settled_amount,
        max(settled_date) as last_settled_date
    from allocations
    group by receivable_key

),

changes as (

    select
        receivable_key,
        sum(case when event_type = 'written_off' then amount end) as written_off_amount,
        min(case when event_type = 'written_off' then event_date end) as written_off_date,
        max(case when event_type = 'adjusted' then event_date end) as last_adjusted_date
    from events
    group by receivable_key

),

balances as (

    select
        receivables.*,
        amounts_due.adjusted_amount,
        amounts_due.due_amount,
        {{ money('coalesce(settlements.settled_amount, 0)') }} as settled_amount,
        {{ money('coalesce(changes.written_off_amount, 0)') }} as written_off_amount,
        changes.written_off_date,
        coalesce(settlements.last_settled_date, receivables.issued_date) as last_settled_date,
        changes.last_adjusted_date
    from receivables
    inner join amounts_due on receivables.receivable_key = amounts_due.receivable_key
    left join settlements on receivables.receivable_key = settlements.receivable_key
    left join changes on receivables.receivable_key = changes.receivable_key

)

select
    receivable_key,
    source_system,
    source_record_id,
    customer_id,
    document_no,
    issued_date,
    due_date,
    amount,
    adjusted_amount,
    due_amount,
    settled_amount,
    written_off_amount,
    {{ money('greatest(due_amount - settled_amount - written_off_amount, 0)') }} as open_amount,
    currency_code,
    -- the day the settled sum reached what is due; an adjustment may be what made it enough
    case
        when settled_amount >= due_amount
            then greatest(last_settled_date, coalesce(last_adjusted_date, last_settled_date))
    end as settled_date,
    written_off_date
from balances
