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

-- All schemes side by side, so that each customer of two days meets once.
classes as (
    select
        as_of_date,
        customer_id
        {%- for scheme in schemes %},
        {{ said_by(plan, scheme, 'class') }} as {{ scheme }}
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
        pairs.*,
        steps.previous_as_of_date,
        steps.as_of_date,
        amounts.monetary_12m
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
        cast('' as {{ text_type() }}) as from_class_code,
        cast('' as {{ text_type() }}) as to_class_code,
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
        coalesce(from_{{ scheme }}, 'unclassed') as from_class_code,
        coalesce(to_{{ scheme }}, 'unclassed') as to_class_code,
        count(*) as customers,
        sum(monetary_12m) as amount
    from moves
    where from_{{ scheme }} is not null or to_{{ scheme }} is not null
    group by month, previous_as_of_date, as_of_date, from_{{ scheme }}, to_{{ scheme }}
    {%- endfor %}
)

select
    scheme,
    month,
    previous_as_of_date,
    as_of_date,
    from_class_code,
    to_class_code,
    customers,
    {{ money('coalesce(amount, 0)', 4) }} as amount,
    '{{ var("reporting_currency") }}' as currency_code
from counted
