-- A receipt that names its debt settles it, the earliest receipt first, up to what is due. Money in
-- another currency settles nothing: it stays with the receipt.
with receipts as (

    select * from {{ ref('fct_receipts') }}
    where reversed_date is null and receivable_key is not null

),

amounts_due as (

    select receivable_key, currency_code, due_amount from {{ ref('int_amounts_due') }}

),

running as (

    select
        receipts.receipt_key,
        receipts.receivable_key,
        receipts.amount,
        amounts_due.due_amount,
        sum(receipts.amount) over (
            partition by receipts.receivable_key
            order by receipts.paid_at asc nulls last, receipts.receipt_key asc nulls last
            rows between unbounded preceding and current row
        ) as paid_upto
    from receipts
    inner join amounts_due
        on
            receipts.receivable_key = amounts_due.receivable_key
            and receipts.currency_code = amounts_due.currency_code

),

allocated as (

    select
        receipt_key,
        receivable_key,
        {{ money('least(paid_upto, due_amount) - least(paid_upto - amount, due_amount)') }}
            as allocated_amount
    from running

)

select * from allocated
where allocated_amount > 0
