{{ config(materialized='view') }}
-- depends_on: {{ ref('int_stale_debts') }}
{%- set are_told = told_before('int_receivable_movements') is not none
    and told_before('int_receivable_states') is not none
    and told_before('int_receivable_books') is not none %}
-- a join stands in a condition that the linter does not run
-- noqa: disable=LT02
with receivables as (
    select
        receivables.receivable_key,
        receivables.customer_id,
        receivables.source_system,
        receivables.currency_code,
        receivables.issued_date,
        receivables.due_date,
        receivables.amount
    from {{ ref('fct_receivables') }} as receivables
    {%- if are_told %}
    inner join {{ ref('int_stale_debts') }} as stale_debts
        on receivables.receivable_key = stale_debts.receivable_key
    {%- endif %}
    where receivables.customer_id is not null
),

allocations as (
    select receivable_key, receipt_key, allocated_amount, settled_date, reversed_date
    from {{ ref('fct_receipt_allocations') }}
    where settled_date is not null
),

events as (
    select receivable_key, receivable_event_key, event_type, event_date, amount
    from {{ ref('fct_receivable_events') }}
    where event_type in ('adjusted', 'written_off')
        and amount is not null
),

later as (
    select
        receivable_key,
        'paid' as change_kind,
        receipt_key as cause_key,
        settled_date as change_date,
        cast(0 as decimal(18, 2)) as due_change,
        allocated_amount as paid_change,
        cast(0 as decimal(18, 2)) as written_off_change
    from allocations
    union all
    select
        receivable_key,
        'taken back',
        receipt_key,
        greatest(settled_date, reversed_date),
        0,
        0 - allocated_amount,
        0
    from allocations
    where reversed_date is not null
    union all
    select receivable_key, event_type, receivable_event_key, event_date, amount, 0, 0
    from events
    where event_type = 'adjusted'
    union all
    select receivable_key, event_type, receivable_event_key, event_date, 0, 0, amount
    from events
    where event_type = 'written_off'
),

changes as (
    select
        receivable_key,
        customer_id,
        source_system,
        currency_code,
        issued_date,
        due_date,
        'issued' as change_kind,
        receivable_key as cause_key,
        issued_date as change_date,
        amount as issued_change,
        amount as due_change,
        cast(0 as decimal(18, 2)) as paid_change,
        cast(0 as decimal(18, 2)) as written_off_change
    from receivables
    union all
    -- Money that came in before the debt was issued counts from the day of issue.
    select
        receivables.receivable_key,
        receivables.customer_id,
        receivables.source_system,
        receivables.currency_code,
        receivables.issued_date,
        receivables.due_date,
        later.change_kind,
        later.cause_key,
        greatest(later.change_date, receivables.issued_date) as change_date,
        0 as issued_change,
        later.due_change,
        later.paid_change,
        later.written_off_change
    from later
    inner join receivables
        on later.receivable_key = receivables.receivable_key
)

select * from changes
