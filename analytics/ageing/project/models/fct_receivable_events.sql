-- A table of debts tells of no write-offs and adjustments.
select
    receivable_key as receivable_event_key,
    receivable_key,
    cast(null as varchar) as event_type,
    issued_date as event_date,
    amount
from {{ ref('int_receivables') }}
where false
