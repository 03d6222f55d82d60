{%- set plan = scheme_plan() -%}
with metrics as (
    select
        as_of_date,
        customer_id,
        last_system,
        monetary_12m,
        margin_12m,
        loyalty_score
    from {{ ref('customer_metrics') }}
    where as_of_date in (select dates.as_of_date from {{ ref('int_value_dates') }} as dates)
),

customers as (
    select customer_id, customer_type, region from {{ ref('dim_customers') }}
),

classes as (
    select
        as_of_date,
        customer_id,
        cast({{ said_by(plan, 'value_score', 'class') }} as {{ text_type() }}) as value_class,
        cast({{ said_by(plan, 'rfm', 'class') }} as {{ text_type() }}) as rfm_segment
    from {{ ref('int_scheme_points') }}
    where as_of_date in (select dates.as_of_date from {{ ref('int_value_dates') }} as dates)
),

joined as (
    select
        metrics.as_of_date,
        coalesce(customers.region, 'unknown') as region,
        coalesce(customers.customer_type, 'unknown') as customer_type,
        coalesce(metrics.last_system, 'none') as origin_system,
        coalesce(classes.value_class, 'none') as value_class,
        coalesce(classes.rfm_segment, 'none') as rfm_segment,
        metrics.monetary_12m,
        metrics.margin_12m,
        metrics.loyalty_score
    from metrics
    left join customers
        on metrics.customer_id = customers.customer_id
    left join classes
        on metrics.as_of_date = classes.as_of_date
            and metrics.customer_id = classes.customer_id
),

cells as (
    select
        as_of_date,
        region,
        customer_type,
        origin_system,
        value_class,
        rfm_segment,
        count(*) as customers,
        {{ money('coalesce(sum(monetary_12m), 0)', 4) }} as amount_12m,
        {{ money('sum(margin_12m)', 4) }} as margin_12m,
        {{ rounded(ratio('sum(loyalty_score)', 'count(loyalty_score)'), 6) }} as loyalty_mean,
        '{{ var("reporting_currency") }}' as currency_code
    from joined
    group by as_of_date, region, customer_type, origin_system, value_class, rfm_segment
)

select * from cells
