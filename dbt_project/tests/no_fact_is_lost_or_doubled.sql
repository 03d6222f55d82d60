-- Facts and rows that wait for another row are as many as the source tables hold, no more and no
-- less.
{% set facts = [
    ('fct_transactions', 'true', [
        'stg_billing__bills', 'stg_billing__invoices', 'stg_his__charges',
        'stg_orders__order_lines', 'stg_orders__returns', 'stg_orders__invoice_lines',
    ]),
    ('fct_receivable_events', 'true', ['stg_billing__bill_events', 'stg_orders__invoice_events']),
    ('fct_receipts', "receipt_key not like 'billing|invoice_settlement|%'", [
        'stg_billing__payments', 'stg_his__settlements', 'stg_orders__receipts',
    ]),
    ('fct_receivables', "source_system <> 'his'", [
        'stg_billing__bills', 'stg_billing__invoices', 'stg_orders__invoices',
    ]),
    ('fct_dunnings', "source_system = 'billing'", ['stg_billing__dunnings']),
    ('fct_visits', 'true', ['stg_his__visits']),
    ('fct_contacts', 'true', ['stg_service__interactions']),
    ('fct_complaints', 'true', ['stg_service__complaints']),
    ('fct_survey_answers', 'true', ['stg_service__survey_answers']),
    ('fct_follow_ups', 'true', ['stg_service__follow_ups']),
    ('fct_appointments', 'true', ['stg_his__appointments']),
    ('fct_activities', 'true', ['stg_orders__activities']),
    ('fct_readings', 'true', ['stg_billing__readings']),
    ('fct_violations', 'true', ['stg_billing__violations']),
    ('fct_inspections', 'true', ['stg_billing__inspections']),
    ('fct_contracts', 'true', ['stg_billing__supply_contracts']),
    ('fct_leads', 'true', ['stg_orders__leads']),
    ('fct_opportunities', 'true', ['stg_orders__opportunities']),
    ('fct_quotes', 'true', ['stg_orders__quotes']),
] %}

with counts as (

    {% for fact, rows, sources in facts %}
    select
        '{{ fact }}' as fact,
        count(*) as fact_rows,
        0 as source_rows
    from {{ ref(fact) }}
    where {{ rows }}

    {% for source in sources %}
    union all

    select
        '{{ fact }}' as fact,
        count(*) as fact_rows,
        0 as source_rows
    from {{ ref('waiting_facts') }}
    where staging_model = '{{ source }}'

    union all

    select
        '{{ fact }}' as fact,
        0 as fact_rows,
        count(*) as source_rows
    from {{ ref(source) }}
    {% endfor %}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

sums as (

    select
        fact,
        sum(fact_rows) as fact_rows,
        sum(source_rows) as source_rows
    from counts
    group by fact

)

select * from sums
where fact_rows <> source_rows
