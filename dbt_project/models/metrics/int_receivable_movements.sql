with receivables as (
    select receivable_key, issued_date, amount from {{ ref('fct_receivables') }}
    where customer_id is not null
),

allocations as (
    select receivable_key, allocated_amount, settled_date, reversed_date
    from {{ ref('fct_receipt_allocations') }}
    where settled_date is not null
),

events as (
    select receivable_key, event_type, event_date, amount
    from {{ ref('fct_receivable_events') }}
    where event_type in ('adjusted', 'written_off')
        and amount is not null
),

movements as (
    select
        receivable_key,
        issued_date as movement_date,
        amount as issued_change,
        amount as due_change,
        cast(0 as decimal(18, 2)) as paid_change,
        cast(0 as decimal(18, 2)) as written_off_change
    from receivables
    union all
    select receivable_key, settled_date, 0, 0, allocated_amount, 0
    from allocations
    union all
    select receivable_key, greatest(settled_date, reversed_date), 0, 0, 0 - allocated_amount, 0
    from allocations
    where reversed_date is not null
    union all
    select receivable_key, event_date, 0, amount, 0, 0
    from events
    where event_type = 'adjusted'
    union all
    select receivable_key, event_date, 0, 0, 0, amount
    from events
    where event_type = 'written_off'
),

-- Money that came in before the debt was issued counts from the day of issue.
by_day as (
    select
        receivables.receivable_key,
        greatest(movements.movement_date, receivables.issued_date) as movement_date,
        {{ money('sum(movements.issued_change)') }} as issued_change,
        {{ money('sum(movements.due_change)') }} as due_change,
        {{ money('sum(movements.paid_change)') }} as paid_change,
        {{ money('sum(movements.written_off_change)') }} as written_off_change
    from movements
    inner join receivables
        on movements.receivable_key = receivables.receivable_key
    group by
        receivables.receivable_key,
        greatest(movements.movement_date, receivables.issued_date)
)

select * from by_day
