-- Everything that happened with a customer. What happened in the hospital is a visit: no kind, no
-- department, no doctor, no item, no diagnosis.
{% set visit = "'visit'" %}
{% set sold = "case transaction_kind when 'sale' then 'purchase' else transaction_kind end" %}
{% set paid = "case source_system when 'his' then 'visit' else 'payment' end" %}
{% set events = [
    ('fct_visits', 'visit_key', 'admitted_at', visit, none, "'Visit'", none),
    ('fct_appointments', 'appointment_key', 'booked_at', visit, none, "'Visit booked'", none),
    ('fct_receipts', 'receipt_key', 'paid_at', paid, 'amount', "'Paid'", none),
    ('fct_receipts', "receipt_key || '|reversed'", 'reversed_at', paid, '0 - amount',
        "'Payment reversed'", 'reversed_at is not null'),
    ('fct_receivables', 'receivable_key', 'cast(issued_date as timestamp)', "'bill'", 'amount',
        "'Debt issued'", "source_system <> 'his'"),
    ('fct_receivable_events', 'receivable_event_key', 'event_at', 'event_type', none,
        "'Debt ' || replace(event_type, '_', ' ')", "left(receivable_key, 4) <> 'his|'"),
    ('fct_contacts', 'contact_key', 'contact_at', "'contact'", none,
        "'Contact by ' || replace(channel, '_', ' ')", none),
    ('fct_complaints', 'complaint_key', 'opened_at', 'complaint_kind', none,
        "'Opened: ' || complaint_kind", none),
    ('fct_complaints', "complaint_key || '|closed'", 'closed_at', 'complaint_kind', none,
        "'Closed: ' || complaint_kind", 'closed_at is not null'),
    ('fct_follow_ups', 'follow_up_key', 'sent_at', "'follow_up'", none, "'Follow-up sent'", none),
    ('fct_follow_ups', "follow_up_key || '|answered'", 'answered_at', "'follow_up'", none,
        "'Follow-up answered'", 'answered_at is not null'),
    ('fct_activities', 'activity_key', 'activity_at', "'activity'", none,
        "'Sales force: ' || replace(activity_kind, '_', ' ')", none),
    ('fct_dunnings', 'dunning_key', 'sent_at', "'reminder'", none, "'Reminder of a debt'",
        "source_system = 'billing'"),
    ('fct_violations', 'violation_key', 'occurred_at', "'violation'", none,
        "'Breach: ' || violation_kind", none),
    ('fct_inspections', 'inspection_key', 'cast(inspected_date as timestamp)', "'inspection'", none,
        "'Inspection'", none),
    ('fct_contracts', 'contract_key', 'cast(signed_date as timestamp)', "'contract'", none,
        "'Supply contract signed'", none),
    ('fct_readings', 'reading_key', 'cast(read_date as timestamp)', "'reading'", none,
        "'Meter read'", none),
] %}

with purchases as (

    select
        min(transaction_key) as event_key,
        customer_id,
        source_system,
        transaction_kind,
        min(transaction_at) as event_at,
        sum(gross_amount) as amount,
        currency_code
    from {{ ref('fct_transactions') }}
    where source_system = 'orders'
    group by customer_id, source_system, transaction_kind, document_no, currency_code

),

surveys as (

    select
        min(answer_key) as event_key,
        customer_id,
        source_system,
        answered_at as event_at
    from {{ ref('fct_survey_answers') }}
    group by customer_id, source_system, survey_code, answered_at

),

events as (

    select
        event_key,
        customer_id,
        source_system,
        event_at,
        {{ sold }} as event_type,
        {{ money('amount') }} as amount,
        currency_code,
        'Order or invoice: ' || transaction_kind as summary
    from purchases

    union all

    select event_key, customer_id, source_system, event_at, 'survey', null, null, 'Survey answered'
    from surveys
    {% for fact, key, moment, type, amount, summary, condition in events %}
    union all

    select
        {{ key }},
        customer_id,
        split_part({{ key }}, '|', 1),
        {{ moment }},
        {{ type }},
        {{ money(amount) if amount else 'null' }},
        {{ 'currency_code' if amount else 'null' }},
        {{ summary }}
    from {{ ref(fact) }}
    {% if condition %}where {{ condition }}{% endif %}
    {% endfor %}

)

select
    event_key,
    customer_id,
    event_at,
    source_system,
    event_type,
    amount,
    currency_code,
    summary
from events
where customer_id is not null and event_at is not null
