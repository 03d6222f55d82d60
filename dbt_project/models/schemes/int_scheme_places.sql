{%- set asked = asked_places(scheme_plan()) -%}
with metrics as (
    select metrics.*
    from {{ ref('customer_metrics') }} as metrics
    inner join {{ ref('int_score_dates') }} as dates
        on metrics.as_of_date = dates.as_of_date
),

-- Each value once: most metrics have few, and equal values share a place.
counted as (
    select
        as_of_date,
        cast('' as {{ text_type() }}) as place_name,
        cast(null as decimal(24, 6)) as metric_value,
        count(*) as customers
    from metrics
    where 1 = 0
    group by as_of_date
    {%- for place in asked %}
    union all
    select
        as_of_date,
        '{{ place.name }}' as place_name,
        cast({{ place.metric }} as decimal(24, 6)) as metric_value,
        count(*) as customers
    from metrics
    where {{ place.population }} and {{ place.metric }} is not null
    group by as_of_date, {{ place.metric }}
    {%- endfor %}
),

with_totals as (
    select
        as_of_date,
        place_name,
        metric_value,
        customers,
        sum(customers) over (
            partition by as_of_date, place_name
            order by metric_value asc nulls last
            rows between unbounded preceding and current row
        ) as customers_up_to,
        sum(customers) over (partition by as_of_date, place_name) as customers_total,
        sum(greatest(metric_value, 0) * customers) over (
            partition by as_of_date, place_name
            order by metric_value asc nulls last
            rows between unbounded preceding and current row
        ) as sum_up_to,
        sum(greatest(metric_value, 0) * customers) over (partition by as_of_date, place_name)
            as sum_total,
        min(metric_value) over (partition by as_of_date, place_name) as lowest,
        max(metric_value) over (partition by as_of_date, place_name) as highest
    from counted
),

places as (
    select
        as_of_date,
        place_name,
        metric_value,
        cast(customers_up_to - customers as bigint) as customers_below,
        cast(customers_total - customers_up_to as bigint) as customers_above,
        cast(customers_total - 1 as bigint) as other_customers,
        cast(sum_total - sum_up_to as decimal(38, 6)) as sum_above,
        cast(sum_total as decimal(38, 6)) as sum_total,
        lowest,
        highest
    from with_totals
)

select * from places
