{% set zone = source_zone('billing', 'invoices') %}

with customer_records as (

    select source_system, source_record_id, customer_id from {{ ref('int_customer_records') }}

),

receivables as (

    select receivable_key from {{ ref('int_receivables') }}

),

payments as (

    select * from {{ ref('stg_billing__payments') }}

),

billing_invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

settlements as (

    select * from {{ ref('stg_his__settlements') }}

),

visits as (

    select visit_no, payer_no from {{ ref('stg_his__visits') }}

),

order_receipts as (

    select * from {{ ref('stg_orders__receipts') }}

),

receipts as (

    select
        'billing|payment|' || payment_no as receipt_key,
        'billing' as source_system,
        account_no as source_record_id,
        'billing|bill|' || bill_no as receivable_key,
        amount,
        currency_code,
        channel,
        paid_at,
        paid_date,
        settled_at,
        settled_date,
        reversed_at,
        reversed_date,
        reversal_reason,
        source_timezone
    from payments

    union all

    select
        'billing|invoice_settlement|' || invoice_no,
        'billing',
        customer_no,
        'billing|invoice|' || invoice_no,
        amount,
        currency_code,
        null,
        {{ to_utc('cast(settled_date as timestamp)', zone) }},
        settled_date as paid_date,
        {{ to_utc('cast(settled_date as timestamp)', zone) }},
        settled_date,
        null,
        null,
        null,
        '{{ zone }}'
    from billing_invoices
    where settled_date is not null and amount > 0

    union all

    select
        'his|settlement|' || settlements.settlement_no,
        'his',
        visits.payer_no,
        'his|visit|' || settlements.visit_no,
        settlements.amount,
        settlements.currency_code,
        null,
        settlements.paid_at,
        settlements.paid_date,
        settlements.settled_at,
        settlements.settled_date,
        settlements.reversed_at,
        settlements.reversed_date,
        settlements.reversal_reason,
        settlements.source_timezone
    from settlements
    inner join visits on settlements.visit_no = visits.visit_no

    union all

    select
        'orders|receipt|' || receipt_no,
        'orders',
        customer_no,
        'orders|invoice|' || invoice_no,
        amount,
        currency_code,
        null,
        received_at,
        received_date,
        settled_at,
        settled_date,
        reversed_at,
        reversed_date,
        reversal_reason,
        source_timezone
    from order_receipts

)

-- A receipt that names a debt nobody has on file counts as one that names none.
select
    receipts.receipt_key,
    receipts.source_system,
    receipts.source_record_id,
    customer_records.customer_id,
    receivables.receivable_key,
    receipts.receivable_key is not null and receivables.receivable_key is null
        as names_unknown_debt,
    {{ money('receipts.amount') }} as amount,
    receipts.currency_code,
    receipts.channel,
    receipts.paid_at,
    receipts.paid_date,
    receipts.settled_at,
    receipts.settled_date,
    receipts.reversed_at,
    receipts.reversed_date,
    receipts.reversal_reason,
    receipts.source_timezone
from receipts
left join receivables on receipts.receivable_key = receivables.receivable_key
left join customer_records
    on
        receipts.source_system = customer_records.source_system
        and receipts.source_record_id = customer_records.source_record_id
