with customers as (
    select * from {{ ref('dim_customers') }}
),

customer_records as (
    select source_system, customer_id from {{ ref('bridge_customer_records') }}
    where valid_to is null
),

latest as (
    select max(as_of_date) as as_of_date from {{ ref('customer_metrics') }}
),

metrics as (
    select customer_metrics.*
    from {{ ref('customer_metrics') }} as customer_metrics
    inner join latest
        on customer_metrics.as_of_date = latest.as_of_date
),

scores as (
    select scores.customer_id, scores.scheme, scores.version, scores.class_code
    from {{ ref('scores') }} as scores
    inner join latest
        on scores.as_of_date = latest.as_of_date
),

actions as (
    select * from {{ ref('scheme_actions') }}
),

records_per_system as (
    select
        customer_id,
        count(*) filter (where source_system = 'billing') as billing_records,
        count(*) filter (where source_system = 'his') as his_records,
        count(*) filter (where source_system = 'orders') as orders_records,
        count(*) filter (where source_system = 'service') as service_records
    from customer_records
    group by customer_id
),

classes as (
    select
        customer_id,
        max(case when scheme = 'value_score' then class_code end) as value_class,
        max(case when scheme = 'rfm' then class_code end) as rfm_segment,
        max(case when scheme = 'power_credit' then class_code end) as credit_grade
    from scores
    group by customer_id
),

-- Of all that the customer's classes ask for, the most urgent.
ranked_actions as (
    select
        scores.customer_id,
        actions.scheme,
        actions.action_code,
        actions.text_en,
        actions.text_zh,
        actions.owner_role,
        actions.needs_review,
        row_number() over (
            partition by scores.customer_id
            order by
                actions.priority asc nulls last,
                actions.scheme asc nulls last,
                actions.action_code asc nulls last
        ) as place
    from scores
    inner join actions
        on scores.scheme = actions.scheme
            and scores.version = actions.version
            and scores.class_code = actions.class_code
),

joined as (
    select
        customers.customer_id,
        latest.as_of_date,
        customers.customer_type,
        customers.display_name,
        customers.region,
        customers.first_seen_date,
        customers.source_count,
        customers.in_billing,
        customers.in_his,
        customers.in_orders,
        customers.in_service,
        coalesce(records_per_system.billing_records, 0) as billing_records,
        coalesce(records_per_system.his_records, 0) as his_records,
        coalesce(records_per_system.orders_records, 0) as orders_records,
        coalesce(records_per_system.service_records, 0) as service_records,
        classes.value_class,
        classes.rfm_segment,
        classes.credit_grade,
        {{ money('metrics.monetary_12m') }} as monetary_12m,
        {{ money('metrics.monetary_total') }} as monetary_total,
        metrics.open_amount,
        metrics.overdue_amount,
        '{{ var("reporting_currency") }}' as currency_code,
        metrics.last_contact_date,
        coalesce(metrics.complaints_open, 0) as open_complaints,
        ranked_actions.action_code as next_action,
        ranked_actions.text_en as next_action_text_en,
        ranked_actions.text_zh as next_action_text_zh,
        ranked_actions.owner_role as next_action_owner,
        ranked_actions.needs_review as next_action_needs_review,
        ranked_actions.scheme as next_action_scheme
    from customers
    cross join latest
    left join records_per_system
        on customers.customer_id = records_per_system.customer_id
    left join metrics
        on customers.customer_id = metrics.customer_id
    left join classes
        on customers.customer_id = classes.customer_id
    left join ranked_actions
        on customers.customer_id = ranked_actions.customer_id
            and ranked_actions.place = 1
)

select * from joined
