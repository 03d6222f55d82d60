with receipts as (

    select receipt_key, customer_id, paid_date, settled_date, reversed_date, currency_code
    from {{ ref('fct_receipts') }}

),

allocations as (

    select receipt_key, receivable_key, allocated_amount, 'named' as allocation_kind
    from {{ ref('int_allocations__named') }}

    union all

    select receipt_key, receivable_key, allocated_amount, 'oldest_due'
    from {{ ref('int_allocations__oldest_due') }}

    union all

    select receipt_key, receivable_key, allocated_amount, 'reversed'
    from {{ ref('int_allocations__reversed') }}

)

select
    allocations.receipt_key,
    allocations.receivable_key,
    allocations.allocation_kind,
    receipts.customer_id,
    allocations.allocated_amount,
    receipts.currency_code,
    receipts.paid_date,
    receipts.settled_date,
    receipts.reversed_date
from allocations
inner join receipts on allocations.receipt_key = receipts.receipt_key
