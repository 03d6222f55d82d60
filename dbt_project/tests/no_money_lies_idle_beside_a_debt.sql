-- A customer cannot have money left in a system and currency and at the same time a debt there
-- that nothing settles: allocation would have joined them.
with receipts as (

    select receipt_key, customer_id, source_system, currency_code, amount
    from {{ ref('fct_receipts') }}
    where reversed_date is null

),

debts as (

    select * from {{ ref('fct_receivables') }}

),

allocations as (

    select * from {{ ref('fct_receipt_allocations') }}
    where reversed_date is null

),

allocated as (

    select receipt_key, sum(allocated_amount) as amount
    from allocations
    group by receipt_key

),

laid_on as (

    select receivable_key, sum(allocated_amount) as amount
    from allocations
    group by receivable_key

),

idle_money as (

    select
        receipts.customer_id,
        receipts.source_system,
        receipts.currency_code,
        sum(receipts.amount - coalesce(allocated.amount, 0)) as amount
    from receipts
    left join allocated on receipts.receipt_key = allocated.receipt_key
    group by receipts.customer_id, receipts.source_system, receipts.currency_code

),

uncovered_debts as (

    select
        debts.customer_id,
        debts.source_system,
        debts.currency_code,
        sum(
            greatest(debts.due_amount - debts.written_off_amount - coalesce(laid_on.amount, 0), 0)
        ) as amount
    from debts
    left join laid_on on debts.receivable_key = laid_on.receivable_key
    group by debts.customer_id, debts.source_system, debts.currency_code

)

select
    idle_money.*,
    uncovered_debts.amount as uncovered_amount
from idle_money
inner join uncovered_debts
    on
        idle_money.customer_id = uncovered_debts.customer_id
        and idle_money.source_system = uncovered_debts.source_system
        and idle_money.currency_code = uncovered_debts.currency_code
where idle_money.amount > 0 and uncovered_debts.amount > 0
