{%- set plan = scheme_plan() -%}
{%- set actions = numbered_actions(plan) -%}
{%- set roles = actions | map(attribute='owner_role') | unique | list -%}
-- Of a customer, the most urgent action for each who acts, on the newest day.
-- columns stand in loops that the linter does not run
-- noqa: disable=LT02,ST03
-- For each who acts, the number of the most urgent action that a class of the customer asks for.
-- No row at first: it says the types, and holds where no scheme is in force.
with by_role as (
    select
        as_of_date,
        customer_id,
        cast(0 as integer) as action_no,
        cast('' as {{ text_type() }}) as weakest_indicator
    from {{ ref('int_scheme_points') }}
    where 1 = 0
    {%- for role in roles %}
    union all
    select
        as_of_date,
        customer_id,
        action_no,
        case
            {%- for one in plan %}
            {%- set numbers = numbers_of(actions, one, role) %}
            {%- if numbers %}
            when action_no in ({{ numbers.values() | join(', ') }})
                then coalesce({{ weakest_indicator(one) }}, '')
            {%- endif %}
            {%- endfor %}
        end as weakest_indicator
    from (
        select points.*, {{ most_urgent(plan, actions, role) }} as action_no
        from {{ ref('int_scheme_points') }} as points
        where points.as_of_date = {{ newest_as_of_date() }}
    ) as urgent
    where action_no is not null
    {%- endfor %}
),

numbers as (
    {{ action_numbers(actions) }}
),

actions as (
    select scheme_actions.*, deadlines.due_days, numbers.action_no
    from {{ ref('scheme_actions') }} as scheme_actions
    inner join numbers
        on scheme_actions.scheme = numbers.scheme
            and scheme_actions.version = numbers.version
            and scheme_actions.class_code = numbers.class_code
            and scheme_actions.action_code = numbers.action_code
    inner join {{ ref('action_deadlines') }} as deadlines
        on (
            deadlines.lower_priority is null
            or scheme_actions.priority >= deadlines.lower_priority
        )
        and (
            deadlines.upper_priority is null
            or scheme_actions.priority <= deadlines.upper_priority
        )
),

worklist as (
    select
        by_role.as_of_date,
        by_role.customer_id,
        actions.action_code,
        actions.text_en,
        actions.text_zh,
        actions.owner_role,
        actions.priority,
        actions.scheme,
        actions.class_code,
        trim(actions.scheme || ':' || actions.class_code || ' ' || by_role.weakest_indicator)
            as reason_codes,
        {{ add_days('by_role.as_of_date', 'actions.due_days') }} as due_date,
        actions.needs_review,
        'proposed' as status
    from by_role
    inner join actions
        on by_role.action_no = actions.action_no
)

select * from worklist
