-- A fact without a customer would vanish from every metric.
{% set facts = {
    'fct_transactions': 'transaction_key',
    'fct_receivables': 'receivable_key',
    'fct_receipts': 'receipt_key',
    'fct_visits': 'visit_key',
    'fct_contacts': 'contact_key',
    'fct_complaints': 'complaint_key',
    'fct_survey_answers': 'answer_key',
    'fct_follow_ups': 'follow_up_key',
    'fct_appointments': 'appointment_key',
    'fct_activities': 'activity_key',
    'fct_readings': 'reading_key',
    'fct_violations': 'violation_key',
    'fct_inspections': 'inspection_key',
    'fct_dunnings': 'dunning_key',
    'fct_contracts': 'contract_key',
    'fct_quotes': 'quote_key',
    'fct_quoted_orders': 'order_key',
} %}

with facts as (

    {% for fact, key in facts.items() %}
    select '{{ fact }}' as fact, {{ key }} as fact_key, customer_id from {{ ref(fact) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

customers as (

    select customer_id from {{ ref('int_customers') }}

)

select
    facts.fact,
    facts.fact_key
from facts
left join customers on facts.customer_id = customers.customer_id
where customers.customer_id is null
