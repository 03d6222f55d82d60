-- Rows that say whose they are only through another row, which is late or in quarantine. They
-- enter the facts in the run in which that row arrives.
{% set dependents = [
    ('stg_his__charges', ['charge_id'], 'stg_his__visits', 'visit_no'),
    ('stg_his__settlements', ['settlement_no'], 'stg_his__visits', 'visit_no'),
    ('stg_orders__order_lines', ['order_no', 'line_no'], 'stg_orders__orders', 'order_no'),
    ('stg_orders__returns', ['return_no'], 'stg_orders__orders', 'order_no'),
    ('stg_billing__dunnings', ['dunning_id'], 'stg_billing__bills', 'bill_no'),
    ('stg_billing__bill_events', ['bill_event_id'], 'stg_billing__bills', 'bill_no'),
    ('stg_orders__invoice_events', ['invoice_event_id'], 'stg_orders__invoices', 'invoice_no'),
] %}

with waiting as (

    {% for dependent, key, parent, reference in dependents %}
    select
        '{{ dependent }}' as staging_model,
        concat_ws('|', dependents.{{ key | join(', dependents.') }}) as row_key,
        '{{ parent }}' as waits_for_model,
        dependents.{{ reference }} as waits_for_key
    from {{ ref(dependent) }} as dependents
    left join {{ ref(parent) }} as parents
        on dependents.{{ reference }} = parents.{{ reference }}
    where parents.{{ reference }} is null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from waiting
