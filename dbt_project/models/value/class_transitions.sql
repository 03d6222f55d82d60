{%- set plan = scheme_plan() -%}
{%- set schemes = plan | map(attribute='scheme') | unique | list -%}
-- columns stand in loops that the linter does not run
-- noqa: disable=LT02
with amounts as (
    select as_of_date, customer_id, monetary_12m from {{ ref('customer_metrics') }}
),

steps as (
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
classes as (
    select
        as_of_date,
        customer_id
        {%- for scheme in schemes %},
        {{ said_by(plan, scheme, 'class_no') }} as {{ scheme }}
        {%- endfor %}
    from {{ ref('int_scheme_points') }}
),

arrivals as (
    select steps.month, classes.*
    from classes
    inner join steps
        on classes.as_of_date = steps.as_of_date
),

departures as (
    select steps.month, classes.*
    from classes
    inner join steps
        on classes.as_of_date = steps.previous_as_of_date
),

pairs as (
    select
        coalesce(arrivals.month, departures.month) as month,
        coalesce(arrivals.customer_id, departures.customer_id) as customer_id
        {%- for scheme in schemes %},
        departures.{{ scheme }} as from_{{ scheme }},
        arrivals.{{ scheme }} as to_{{ scheme }}
        {%- endfor %}
    from arrivals
    full outer join departures
        on arrivals.month = departures.month
            and arrivals.customer_id = departures.customer_id
),

moves as (
    select
        pairs.month,
        steps.previous_as_of_date,
        steps.as_of_date,
        amounts.monetary_12m
        {%- for scheme in schemes %},
        pairs.from_{{ scheme }},
        pairs.to_{{ scheme }}
        {%- endfor %}
    from pairs
    inner join steps
        on pairs.month = steps.month
    left join amounts
        on steps.as_of_date = amounts.as_of_date
            and pairs.customer_id = amounts.customer_id
),

-- No row at first: it says the types, and holds where no scheme is in force.
counted as (
    select
        cast('' as {{ text_type() }}) as scheme,
        month,
        previous_as_of_date,
        as_of_date,
        cast(0 as integer) as from_class_no,
        cast(0 as integer) as to_class_no,
        count(*) as customers,
        sum(monetary_12m) as amount
    from moves
    where 1 = 0
    group by month, previous_as_of_date, as_of_date
    {%- for scheme in schemes %}
    union all
    select
        '{{ scheme }}' as scheme,
        month,
        previous_as_of_date,
        as_of_date,
        from_{{ scheme }} as from_class_no,
        to_{{ scheme }} as to_class_no,
        count(*) as customers,
        sum(monetary_12m) as amount
    from moves
    where from_{{ scheme }} is not null or to_{{ scheme }} is not null
    group by month, previous_as_of_date, as_of_date, from_{{ scheme }}, to_{{ scheme }}
    {%- endfor %}
)

select
    counted.scheme,
    counted.month,
    counted.previous_as_of_date,
    counted.as_of_date,
    coalesce(before.class_code, 'unclassed') as from_class_code,
    coalesce(after.class_code, 'unclassed') as to_class_code,
    counted.customers,
    {{ money('coalesce(counted.amount, 0)', 4) }} as amount,
    '{{ var("reporting_currency") }}' as currency_code
from counted
left join class_names as before
    on counted.scheme = before.scheme
        and counted.from_class_no = before.class_no
left join class_names as after
    on counted.scheme = after.scheme
        and counted.to_class_no = after.class_no
