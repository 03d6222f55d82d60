{%- set asked = asked_places(scheme_plan()) -%}
{%- set up_to_here -%}
over (
            partition by as_of_date, place_no
            order by metric_value asc nulls last
            rows between unbounded preceding and current row
        )
{%- endset -%}
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
        0 as place_no,
        false as has_sums,
        cast(null as decimal(24, 6)) as metric_value,
        count(*) as customers
    from metrics
    where 1 = 0
    group by as_of_date
    {%- for place in asked %}
    union all
    select
        as_of_date,
        {{ place.number }} as place_no,
        {{ place.has_sums | lower }} as has_sums,
        cast({{ place.metric }} as decimal(24, 6)) as metric_value,
        count(*) as customers
    from metrics
    where {{ place.population }} and {{ place.metric }} is not null
    group by as_of_date, {{ place.metric }}
    {%- endfor %}
),

-- Sums only where a scheme asks for them.
running as (
    select
        as_of_date,
        place_no,
        metric_value,
        customers,
        sum(customers) {{ up_to_here }} as customers_up_to,
        cast(null as decimal(38, 6)) as sum_up_to
    from counted
    where not has_sums
    union all
    select
        as_of_date,
        place_no,
        metric_value,
        customers,
        sum(customers) {{ up_to_here }} as customers_up_to,
        cast(sum(greatest(metric_value, 0) * customers) {{ up_to_here }} as decimal(38, 6))
            as sum_up_to
    from counted
    where has_sums
),

totals as (
    select
        as_of_date,
        place_no,
        sum(customers) as customers,
        cast(sum(greatest(metric_value, 0) * customers) as decimal(38, 6)) as sum_total,
        min(metric_value) as lowest,
        max(metric_value) as highest
    from counted
    group by as_of_date, place_no
),

places as (
    select
        running.as_of_date,
        running.place_no,
        running.metric_value,
        cast(running.customers_up_to - running.customers as bigint) as customers_below,
        cast(totals.customers - running.customers_up_to as bigint) as customers_above,
        cast(totals.customers - 1 as bigint) as other_customers,
        totals.sum_total - running.sum_up_to as sum_above,
        totals.sum_total,
        totals.lowest,
        totals.highest
    from running
    inner join totals
        on running.as_of_date = totals.as_of_date
            and running.place_no = totals.place_no
)

select * from places
