with metrics as (
    select
        as_of_date,
        customer_id,
        currency_code,
        coalesce(monetary_12m, 0) as revenue,
        net_gain_12m,
        coalesce(service_cost_12m, 0) as marketing_cost,
        coalesce(risk_cost_12m, 0) as risk_cost
    from {{ ref('customer_metrics') }}
    where relationship_value is not null
),

periods as (
    select
        period_no,
        discount_factor,
        sum(discount_factor) over (
            order by period_no asc nulls last
            rows between unbounded preceding and current row
        ) as factor_sum
    from {{ ref('int_relationship_periods') }}
),

classes as (
    select as_of_date, customer_id, class_code
    from {{ ref('scores') }}
    where scheme = 'relationship_class'
),

by_period as (
    select
        metrics.as_of_date,
        metrics.customer_id,
        periods.period_no,
        {{ money('metrics.revenue', 4) }} as revenue,
        {{ money(
            'metrics.revenue - metrics.marketing_cost - metrics.risk_cost - metrics.net_gain_12m', 4
        ) }} as cost,
        {{ money('metrics.marketing_cost', 4) }} as marketing_cost,
        {{ money('metrics.risk_cost', 4) }} as risk_cost,
        metrics.net_gain_12m as net_gain,
        periods.discount_factor,
        -- wider, because DuckDB multiplies two decimals of up to 18 digits within 18 digits
        {{ money('cast(metrics.net_gain_12m as decimal(20, 4)) * periods.discount_factor', 4) }}
            as discounted_gain,
        {{ money('metrics.net_gain_12m * periods.factor_sum', 4) }} as cumulative_value,
        metrics.currency_code
    from metrics
    cross join periods
),

with_sum as (
    select
        by_period.as_of_date,
        by_period.customer_id,
        by_period.period_no,
        by_period.revenue,
        by_period.cost,
        by_period.marketing_cost,
        by_period.risk_cost,
        by_period.net_gain,
        by_period.discount_factor,
        by_period.discounted_gain,
        by_period.cumulative_value,
        {{ rounded(ratio(
            'by_period.net_gain', 'by_period.cost + by_period.marketing_cost + by_period.risk_cost'
        ), 6) }} as return_on_cost,
        classes.class_code as relationship_class,
        by_period.currency_code
    from by_period
    left join classes
        on by_period.as_of_date = classes.as_of_date
            and by_period.customer_id = classes.customer_id
)

select * from with_sum
