-- Debts of the newest day whose days to or past the due date call for a prompt; those whose money
-- is already on its way are left out.
with debts as (
    select * from {{ ref('int_debt_buckets') }}
    where as_of_date = {{ newest_as_of_date() }}
),

rules as (
    select * from {{ ref('payment_prompt_rules') }}
),

in_transit as (
    select receivable_key, sum(amount) as in_transit_amount
    from {{ ref('fct_receipts') }}
    where receivable_key is not null
        and paid_date <= {{ newest_as_of_date() }}
        and (settled_date is null or settled_date > {{ newest_as_of_date() }})
        and reversed_date is null
    group by receivable_key
)

select
    debts.as_of_date,
    md5(debts.receivable_key) as receivable_id,
    debts.customer_id,
    debts.source_system,
    rules.prompt,
    rules.text_en,
    rules.text_zh,
    debts.due_date,
    cast(debts.days_past_due as bigint) as days_past_due,
    debts.open_amount,
    {{ money('coalesce(in_transit.in_transit_amount, 0)') }} as in_transit_amount,
    debts.currency_code
from debts
inner join rules
    on debts.days_past_due >= rules.from_days
        and debts.days_past_due <= rules.to_days
left join in_transit
    on debts.receivable_key = in_transit.receivable_key
where coalesce(in_transit.in_transit_amount, 0) < debts.open_amount
