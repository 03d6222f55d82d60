{{ config(materialized='view') }}
with events as (
    select receivable_key, event_date, amount
    from {{ ref('fct_receivable_events') }}
    where event_type = 'written_off'
),

receivables as (
    select receivable_key, customer_id, currency_code, issued_date from {{ ref('fct_receivables') }}
),

joined as (
    select
        events.receivable_key,
        receivables.customer_id,
        receivables.currency_code,
        receivables.issued_date,
        events.event_date,
        events.amount
    from events
    inner join receivables
        on events.receivable_key = receivables.receivable_key
)

select * from joined
