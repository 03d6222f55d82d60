{%- set plan = [] -%}
{%- for one in scheme_plan()
        if one.scheme in ['power_credit', 'arrears_risk', 'collection_abc'] -%}
    {%- do plan.append(one) -%}
{%- endfor -%}
-- What is recommended for the grades of the newest day, all treatments of a class. Reasons are the
-- three indicators that cost the score most.
-- columns stand in loops that the linter does not run
-- noqa: disable=LT02,ST03
with {% for one in plan -%}
{{ one.name }}_losses as (
    select
        as_of_date,
        customer_id,
        {{ one.name }}__class as class_code,
        {{ one.name }}__class_rank as class_rank
        {%- for indicator in one.indicators %},
        {{ lost_by(one, indicator) }} as loss_{{ loop.index }}
        {%- endfor %}
    from {{ ref('int_scheme_points') }}
    where as_of_date = {{ newest_as_of_date() }}
        and {{ one.name }}__score is not null
),

{{ one.name }}_ranks as (
    select
        *
        {%- for indicator in one.indicators %},
        {{ rank_among('loss_', loop.index, loop.length) }} as rank_{{ loop.index }}
        {%- endfor %}
    from {{ one.name }}_losses
),

{% endfor -%}
-- No row at first: it says the types, and holds where no scheme is in force.
reasons as (
    select
        as_of_date,
        customer_id,
        cast(null as {{ text_type() }}) as scheme,
        cast(null as integer) as version,
        cast(null as {{ text_type() }}) as class_code,
        cast(null as integer) as class_rank,
        cast(null as {{ text_type() }}) as indicators
    from {{ ref('int_scheme_points') }}
    where 1 = 0
    {%- for one in plan %}
    union all
    select
        as_of_date,
        customer_id,
        '{{ one.scheme }}' as scheme,
        {{ one.version }} as version,
        class_code,
        class_rank,
        concat_ws(
            ', '
            {%- for place in [1, 2, 3] %},
            case
                {%- for indicator in one.indicators %}
                when rank_{{ loop.index }} = {{ place }} and loss_{{ loop.index }} >= 0
                    then '{{ indicator.indicator }}'
                {%- endfor %}
            end
            {%- endfor %}
        ) as indicators
    from {{ one.name }}_ranks
    {%- endfor %}
),

actions as (
    select * from {{ ref('scheme_actions') }}
),

deadlines as (
    select lower_priority, upper_priority, due_days from {{ ref('action_deadlines') }}
)

select
    reasons.as_of_date,
    reasons.customer_id,
    reasons.scheme,
    reasons.class_code,
    reasons.class_rank,
    actions.action_code,
    actions.priority,
    actions.text_en,
    actions.text_zh,
    actions.owner_role,
    {{ add_days('reasons.as_of_date', 'deadlines.due_days') }} as due_date,
    actions.needs_review,
    trim(reasons.scheme || ':' || reasons.class_code || ' ' || reasons.indicators) as reason_codes
from reasons
inner join actions
    on reasons.scheme = actions.scheme
        and reasons.version = actions.version
        and reasons.class_code = actions.class_code
inner join deadlines
    on (deadlines.lower_priority is null or actions.priority >= deadlines.lower_priority)
        and (deadlines.upper_priority is null or actions.priority <= deadlines.upper_priority)
