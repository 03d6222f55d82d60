-- Facts and rows that wait for another row are as many as the source tables hold, no more and no
-- less.
{% set facts = [
    ('fct_transactions', [
        'stg_billing__bills', 'stg_billing__invoices', 'stg_his__charges',
        'stg_orders__order_lines', 'stg_orders__returns', 'stg_orders__invoice_lines',
    ], 'true'),
    ('fct_receivable_events', ['stg_billing__bill_events', 'stg_orders__invoice_events'], 'true'),
    ('fct_dunnings', ['stg_billing__dunnings'], "source_system = 'billing'"),
    ('fct_receipts', [
        'stg_billing__payments', 'stg_his__settlements', 'stg_orders__receipts',
    ], "receipt_key not like 'billing|invoice_settlement|%'"),
    ('fct_receivables', [
        'stg_billing__bills', 'stg_billing__invoices', 'stg_orders__invoices',
    ], "source_system <> 'his'"),
    ('fct_visits', ['stg_his__visits'], 'true'),
    ('fct_contacts', ['stg_service__interactions'], 'true'),
    ('fct_complaints', ['stg_service__complaints'], 'true'),
    ('fct_survey_answers', ['stg_service__survey_answers'], 'true'),
    ('fct_follow_ups', ['stg_service__follow_ups'], 'true'),
    ('fct_appointments', ['stg_his__appointments'], 'true'),
    ('fct_activities', ['stg_orders__activities'], 'true'),
    ('fct_readings', ['stg_billing__readings'], 'true'),
    ('fct_violations', ['stg_billing__violations'], 'true'),
    ('fct_inspections', ['stg_billing__inspections'], 'true'),
    ('fct_contracts', ['stg_billing__supply_contracts'], 'true'),
] %}

with counts as (

    {% for fact, sources, rows in facts %}
    select
        '{{ fact }}' as fact,
        (select count(*) from {{ ref(fact) }} where {{ rows }}) as fact_rows,
        {% for source in sources %}
        (select count(*) from {{ ref(source) }})
        {{- ' +' if not loop.last }}
        {% endfor %}
        as source_rows,
        (
            select count(*) from {{ ref('waiting_facts') }}
            where staging_model in ('{{ sources | join("', '") }}')
        ) as waiting_rows
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from counts
where fact_rows + waiting_rows <> source_rows
