-- Debts and payments that are odd but sound, and the rule by which each counts. A payment may be
-- odd in two ways; one that was taken back is odd only in what it names.
with rules as (
    select reason_code, record_kind, label_en, label_zh, treatment_en, treatment_zh
    from {{ ref('exception_rules') }}
),

-- Standing payments that the debt they name did not take, or not all of it. Few: the debts are
-- looked up for these alone.
left_over as (
    select
        receipts.receipt_key,
        receipts.receivable_key,
        receipts.amount,
        receipts.currency_code,
        coalesce(named.allocated_amount, 0) as named_amount
    from {{ ref('fct_receipts') }} as receipts
    left join {{ ref('fct_receipt_allocations') }} as named
        on receipts.receipt_key = named.receipt_key
            and named.allocation_kind = 'named'
            and named.reversed_date is null
    where receipts.reversed_date is null
        and receipts.receivable_key is not null
        and coalesce(named.allocated_amount, 0) < receipts.amount
),

not_taken as (
    select
        left_over.*,
        debts.currency_code as debt_currency_code,
        debts.due_amount
    from left_over
    inner join {{ ref('int_amounts_due') }} as debts
        on left_over.receivable_key = debts.receivable_key
),

odd_receipts as (
    select
        receipt_key,
        case
            when currency_code <> debt_currency_code then 'other_currency'
            when due_amount <= 0 then 'nothing_owed'
            when named_amount > 0 then 'larger_than_debt'
            else 'paid_again'
        end as reason_code
    from not_taken
    union all
    select receipt_key, 'unknown_debt' as reason_code
    from {{ ref('fct_receipts') }}
    where names_unknown_debt
    union all
    select receipt_key, 'dated_in_future' as reason_code
    from {{ ref('fct_receipts') }}
    where paid_date > {{ newest_as_of_date() }}
),

applied as (
    select odd.receipt_key, sum(allocations.allocated_amount) as amount
    from (select distinct receipt_key from odd_receipts) as odd
    inner join {{ ref('fct_receipt_allocations') }} as allocations
        on odd.receipt_key = allocations.receipt_key
    where allocations.reversed_date is null
    group by odd.receipt_key
),

exceptions as (
    select
        odd_receipts.reason_code,
        receipts.receipt_key as record_key,
        receipts.customer_id,
        receipts.source_system,
        receipts.paid_date as record_date,
        receipts.amount,
        coalesce(applied.amount, 0) as applied_amount,
        receipts.currency_code
    from odd_receipts
    inner join {{ ref('fct_receipts') }} as receipts
        on odd_receipts.receipt_key = receipts.receipt_key
    left join applied
        on odd_receipts.receipt_key = applied.receipt_key
    union all
    select
        'credit_note' as reason_code,
        receivable_key,
        customer_id,
        source_system,
        issued_date,
        amount,
        0,
        currency_code
    from {{ ref('int_amounts_due') }}
    where amount < 0
)

select
    rules.record_kind,
    exceptions.record_key,
    exceptions.reason_code,
    rules.label_en as reason_label_en,
    rules.label_zh as reason_label_zh,
    rules.treatment_en,
    rules.treatment_zh,
    exceptions.customer_id,
    exceptions.source_system,
    exceptions.record_date,
    {{ money('exceptions.amount') }} as amount,
    {{ money('exceptions.applied_amount') }} as applied_amount,
    {{ money('exceptions.amount - exceptions.applied_amount') }} as unapplied_amount,
    exceptions.currency_code
from exceptions
inner join rules
    on exceptions.reason_code = rules.reason_code
