-- What names no debt, or exceeds the one it names, pays the customer's debts in the same system
-- and currency from the oldest due on. Receipts and debts are laid end to end, each as an interval
-- on one line of money: where two intervals overlap, that receipt pays that debt.
with receipts as (

    select * from {{ ref('fct_receipts') }}
    where reversed_date is null

),

amounts_due as (

    select * from {{ ref('int_amounts_due') }}

),

named_allocations as (

    select * from {{ ref('int_allocations__named') }}

),

write_offs as (

    select receivable_key, sum(amount) as written_off_amount
    from {{ ref('fct_receivable_events') }}
    where event_type = 'written_off'
    group by receivable_key

),

named_per_receipt as (

    select receipt_key, sum(allocated_amount) as allocated_amount
    from named_allocations
    group by receipt_key

),

named_per_debt as (

    select receivable_key, sum(allocated_amount) as allocated_amount
    from named_allocations
    group by receivable_key

),

money_left as (

    select
        receipts.receipt_key,
        receipts.customer_id,
        receipts.source_system,
        receipts.currency_code,
        receipts.paid_at,
        receipts.amount - coalesce(named_per_receipt.allocated_amount, 0) as amount
    from receipts
    left join named_per_receipt on receipts.receipt_key = named_per_receipt.receipt_key
    where receipts.amount > coalesce(named_per_receipt.allocated_amount, 0)

),

debts_left as (

    select
        amounts_due.receivable_key,
        amounts_due.customer_id,
        amounts_due.source_system,
        amounts_due.currency_code,
        amounts_due.due_date,
        amounts_due.due_amount
        - coalesce(named_per_debt.allocated_amount, 0)
        - coalesce(write_offs.written_off_amount, 0) as amount
    from amounts_due
    left join named_per_debt on amounts_due.receivable_key = named_per_debt.receivable_key
    left join write_offs on amounts_due.receivable_key = write_offs.receivable_key

),

money_line as (

    select
        receipt_key,
        customer_id,
        source_system,
        currency_code,
        amount,
        sum(amount) over (
            partition by customer_id, source_system, currency_code
            order by paid_at asc nulls last, receipt_key asc nulls last
            rows between unbounded preceding and current row
        ) as line_end
    from money_left

),

debt_line as (

    select
        receivable_key,
        customer_id,
        source_system,
        currency_code,
        amount,
        sum(amount) over (
            partition by customer_id, source_system, currency_code
            order by due_date asc nulls last, receivable_key asc nulls last
            rows between unbounded preceding and current row
        ) as line_end
    from debts_left
    where amount > 0

)

select
    money_line.receipt_key,
    debt_line.receivable_key,
    {{ money(
        'least(money_line.line_end, debt_line.line_end)'
        ~ ' - greatest(money_line.line_end - money_line.amount, debt_line.line_end - debt_line.amount)'
    ) }} as allocated_amount
from money_line
inner join debt_line
    on
        money_line.customer_id = debt_line.customer_id
        and money_line.source_system = debt_line.source_system
        and money_line.currency_code = debt_line.currency_code
        and money_line.line_end - money_line.amount < debt_line.line_end
        and debt_line.line_end - debt_line.amount < money_line.line_end
