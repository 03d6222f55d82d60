-- Numbers that facts mention. Where the party's own record is late, deleted or in quarantine, or
-- the source has no table of parties at all, the number alone stands for the customer.
{% set account = "'billing', account_no, 'account', 'person'" %}
{% set invoiced_party = "'billing', customer_no, 'invoiced_party', 'organisation'" %}
{% set patient = "'his', patient_no, 'patient', 'person'" %}
{% set guarantor = "'his', guarantor_no, 'patient', 'person'" %}
{% set payer = "'his', payer_no,"
    ~ " case payer_kind when 'patient' then 'patient' else 'group_client' end,"
    ~ " case payer_kind when 'patient' then 'person' else 'organisation' end" %}
{% set buyer = "'orders', customer_no, 'buyer', 'organisation'" %}
{% set caller = "'service', caller_no, 'caller', 'person'" %}

{% set mentions = [
    (account, 'issued_date', ref('stg_billing__bills')),
    (account, 'paid_date', ref('stg_billing__payments')),
    (account, 'read_date', ref('stg_billing__readings')),
    (account, 'signed_date', ref('stg_billing__supply_contracts')),
    (account, 'occurred_date', ref('stg_billing__violations')),
    (account, 'inspected_date', ref('stg_billing__inspections')),
    (invoiced_party, 'invoice_date', ref('stg_billing__invoices')),
    (patient, 'admitted_date', ref('stg_his__visits')),
    (guarantor, 'admitted_date', ref('stg_his__visits')),
    (payer, 'admitted_date', ref('stg_his__visits')),
    (patient, 'booked_date', ref('stg_his__appointments')),
    (buyer, 'ordered_date', ref('stg_orders__orders')),
    (buyer, 'issued_date', ref('stg_orders__invoices')),
    (buyer, 'received_date', ref('stg_orders__receipts')),
    (buyer, 'happened_date', ref('stg_orders__activities')),
    (buyer, 'invoiced_date', ref('stg_orders__invoice_lines')),
    (caller, 'happened_date', ref('stg_service__interactions')),
    (caller, 'sent_date', ref('stg_service__follow_ups')),
    (caller, 'answered_date', ref('stg_service__survey_answers')),
    (caller, 'opened_date', ref('stg_service__complaints')),
] %}

with mentions (source_system, source_record_id, record_kind, party_kind, mentioned_date) as (

    {% for party, day, relation in mentions %}
    select {{ party }}, {{ day }} from {{ relation }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

numbers as (

    select
        source_system,
        source_record_id,
        min(record_kind) as record_kind,
        min(party_kind) as party_kind,
        min(mentioned_date) as first_mentioned_date
    from mentions
    where source_record_id is not null
    group by source_system, source_record_id

)

select * from numbers
