-- On no day is more of a receipt laid on debts than came in, nor more on a debt than is due.
with allocations as (

    select * from {{ ref('fct_receipt_allocations') }}

),

receipts as (

    select receipt_key, amount from {{ ref('fct_receipts') }}

),

debts as (

    select receivable_key, due_amount from {{ ref('fct_receivables') }}

),

per_receipt as (

    select receipt_key as owner_key, sum(allocated_amount) as allocated_amount
    from allocations
    group by receipt_key

),

standing_per_debt as (

    select receivable_key as owner_key, sum(allocated_amount) as allocated_amount
    from allocations
    where reversed_date is null
    group by receivable_key

),

reversed_debts as (

    select distinct receivable_key
    from allocations
    where reversed_date is not null

),

-- The most that can stand at once stands on a day on which something was settled.
settling_days as (

    select distinct allocations.receivable_key, allocations.settled_date
    from allocations
    inner join reversed_debts on allocations.receivable_key = reversed_debts.receivable_key

),

per_debt_and_day as (

    select
        settling_days.receivable_key as owner_key,
        settling_days.settled_date,
        sum(allocations.allocated_amount) as allocated_amount
    from settling_days
    inner join allocations on settling_days.receivable_key = allocations.receivable_key
    where
        allocations.settled_date <= settling_days.settled_date
        and (
            allocations.reversed_date is null
            or allocations.reversed_date > settling_days.settled_date
        )
    group by settling_days.receivable_key, settling_days.settled_date

),

limits as (

    select per_receipt.owner_key, per_receipt.allocated_amount, receipts.amount as most
    from per_receipt
    inner join receipts on per_receipt.owner_key = receipts.receipt_key

    union all

    select standing_per_debt.owner_key, standing_per_debt.allocated_amount, debts.due_amount
    from standing_per_debt
    inner join debts on standing_per_debt.owner_key = debts.receivable_key

    union all

    select per_debt_and_day.owner_key, per_debt_and_day.allocated_amount, debts.due_amount
    from per_debt_and_day
    inner join debts on per_debt_and_day.owner_key = debts.receivable_key

)

select * from limits
where allocated_amount > most
