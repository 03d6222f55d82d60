-- A receipt that was taken back stood for its debt until then. It takes the room that standing
-- receipts, and earlier ones taken back after it came in, left on that debt at the time.
with reversed_receipts as (

    select * from {{ ref('fct_receipts') }}
    where
        reversed_date is not null
        and receivable_key is not null
        and settled_date < reversed_date

),

receipts as (

    select receipt_key, settled_date from {{ ref('fct_receipts') }}

),

amounts_due as (

    select receivable_key, currency_code, due_amount from {{ ref('int_amounts_due') }}

),

standing as (

    select * from {{ ref('int_allocations__named') }}
    union all
    select * from {{ ref('int_allocations__oldest_due') }}

),

standing_then as (

    select
        reversed_receipts.receipt_key,
        sum(standing.allocated_amount) as amount
    from reversed_receipts
    inner join standing on reversed_receipts.receivable_key = standing.receivable_key
    inner join receipts on standing.receipt_key = receipts.receipt_key
    where receipts.settled_date < reversed_receipts.reversed_date
    group by reversed_receipts.receipt_key

),

earlier_then as (

    select
        reversed_receipts.receipt_key,
        sum(earlier.amount) as amount
    from reversed_receipts
    inner join reversed_receipts as earlier
        on reversed_receipts.receivable_key = earlier.receivable_key
    where
        earlier.reversed_date > reversed_receipts.settled_date
        and (
            earlier.paid_at < reversed_receipts.paid_at
            or (
                earlier.paid_at = reversed_receipts.paid_at
                and earlier.receipt_key < reversed_receipts.receipt_key
            )
        )
    group by reversed_receipts.receipt_key

),

allocated as (

    select
        reversed_receipts.receipt_key,
        reversed_receipts.receivable_key,
        {{ money(
            'least(reversed_receipts.amount, amounts_due.due_amount'
            ~ ' - coalesce(standing_then.amount, 0) - coalesce(earlier_then.amount, 0))'
        ) }} as allocated_amount
    from reversed_receipts
    inner join amounts_due
        on
            reversed_receipts.receivable_key = amounts_due.receivable_key
            and reversed_receipts.currency_code = amounts_due.currency_code
    left join standing_then on reversed_receipts.receipt_key = standing_then.receipt_key
    left join earlier_then on reversed_receipts.receipt_key = earlier_then.receipt_key

)

select * from allocated
where allocated_amount > 0
