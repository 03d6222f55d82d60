-- Every debt as it was incurred, before any payment: bills, invoices, and what a patient owes for
-- a visit once the insurer's part is taken off.
with customer_records as (

    select source_system, source_record_id, customer_id from {{ ref('int_customer_records') }}

),

bills as (

    select * from {{ ref('stg_billing__bills') }}

),

billing_invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

order_invoices as (

    select * from {{ ref('stg_orders__invoices') }}

),

visits as (

    select visit_no, payer_no from {{ ref('stg_his__visits') }}

),

charges as (

    select * from {{ ref('stg_his__charges') }}

),

visit_balances as (

    select
        charges.visit_no,
        charges.currency_code,
        visits.payer_no,
        max(charges.charged_date) as issued_date,
        {{ money('sum(charges.self_pay_amount)') }} as amount
    from charges
    inner join visits on charges.visit_no = visits.visit_no
    group by charges.visit_no, charges.currency_code, visits.payer_no
    having sum(charges.self_pay_amount) > 0

),

debts as (

    select
        'billing|bill|' || bill_no as receivable_key,
        'billing' as source_system,
        account_no as source_record_id,
        bill_no as document_no,
        issued_date,
        due_date,
        {{ money('amount') }} as amount,
        currency_code
    from bills

    union all

    select
        'billing|invoice|' || invoice_no,
        'billing',
        customer_no,
        invoice_no,
        invoice_date,
        due_date,
        {{ money('amount') }},
        currency_code
    from billing_invoices

    union all

    select
        'his|visit|' || visit_no,
        'his',
        payer_no,
        visit_no,
        issued_date,
        {{ add_days('issued_date', var('hospital_payment_days')) }},
        amount,
        currency_code
    from visit_balances

    union all

    select
        'orders|invoice|' || invoice_no,
        'orders',
        customer_no,
        invoice_no,
        issued_date,
        due_date,
        {{ money('amount') }},
        currency_code
    from order_invoices

)

select
    debts.receivable_key,
    debts.source_system,
    debts.source_record_id,
    customer_records.customer_id,
    debts.document_no,
    debts.issued_date,
    debts.due_date,
    debts.amount,
    debts.currency_code
from debts
left join customer_records
    on
        debts.source_system = customer_records.source_system
        and debts.source_record_id = customer_records.source_record_id
