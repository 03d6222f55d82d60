{%- set plan = scheme_plan() -%}
{%- set schemes = plan | map(attribute='scheme') | unique | list -%}
-- columns stand in loops that the linter does not run
-- noqa: disable=LT02
with steps as (
    select steps.month, steps.as_of_date, steps.previous_as_of_date
    from {{ ref('int_month_steps') }} as steps
    inner join {{ ref('int_value_dates') }} as dates
        on steps.as_of_date = dates.as_of_date
    where steps.previous_as_of_date is not null
),

class_names as (
    {{ numbered_classes(plan) }}
),

-- All schemes side by side, so that each customer of two days meets once.
arrivals as (
    select
        steps.month,
        points.customer_id,
        points.monetary_12m
        {%- for scheme in schemes %},
        {{ said_by(plan, scheme, 'class_no') }} as {{ scheme }}
        {%- endfor %}
    from {{ ref('int_scheme_points') }} as points
    inner join steps
        on points.as_of_date = steps.as_of_date
),

departures as (
    select
        steps.month,
        points.customer_id
        {%- for scheme in schemes %},
        {{ said_by(plan, scheme, 'class_no') }} as {{ scheme }}
        {%- endfor %}
    from {{ ref('int_scheme_points') }} as points
    inner join steps
        on points.as_of_date = steps.previous_as_of_date
),

pairs as (
    select
        coalesce(arrivals.month, departures.month) as month,
        arrivals.monetary_12m
        {%- for scheme in schemes %},
        departures.{{ scheme }} as from_{{ scheme }},
        arrivals.{{ scheme }} as to_{{ scheme }}
        {%- endfor %}
    from arrivals
    full outer join departures
        on arrivals.month = departures.month
            and arrivals.customer_id = departures.customer_id
),

-- In one pass over the pairs, which are too many to be kept for one scheme after the other.
counted as (
    {%- if schemes %}
    select
        case
            {%- for scheme in schemes %}
            when grouping(to_{{ scheme }}) = 0 then '{{ scheme }}'
            {%- endfor %}
        end as scheme,
        month,
        coalesce(
            {%- for scheme in schemes %}from_{{ scheme }}{{ ', ' if not loop.last }}{% endfor -%}
        ) as from_class_no,
        coalesce(
            {%- for scheme in schemes %}to_{{ scheme }}{{ ', ' if not loop.last }}{% endfor -%}
        ) as to_class_no,
        count(*) as customers,
        sum(monetary_12m) as amount
    from pairs
    group by grouping sets (
        {%- for scheme in schemes %}
        (month, from_{{ scheme }}, to_{{ scheme }}){{ ',' if not loop.last }}
        {%- endfor %}
    )
    {%- else %}
    -- it says the types, where no scheme is in force
    select
        cast('' as {{ text_type() }}) as scheme,
        month,
        cast(0 as smallint) as from_class_no,
        cast(0 as smallint) as to_class_no,
        cast(0 as bigint) as customers,
        monetary_12m as amount
    from pairs
    where 1 = 0
    {%- endif %}
)

select
    counted.scheme,
    counted.month,
    steps.previous_as_of_date,
    steps.as_of_date,
    coalesce(before.class_code, 'unclassed') as from_class_code,
    coalesce(after.class_code, 'unclassed') as to_class_code,
    counted.customers,
    {{ money('coalesce(counted.amount, 0)', 4) }} as amount,
    '{{ var("reporting_currency") }}' as currency_code
from counted
inner join steps
    on counted.month = steps.month
left join class_names as before
    on counted.scheme = before.scheme
        and counted.from_class_no = before.class_no
left join class_names as after
    on counted.scheme = after.scheme
        and counted.to_class_no = after.class_no
where counted.from_class_no is not null or counted.to_class_no is not null
