-- With none it would never be due, with two it would be done twice: bounds have a gap, or overlap.
select
    scheme_actions.scheme,
    scheme_actions.class_code,
    scheme_actions.action_code,
    scheme_actions.priority,
    count(deadlines.due_days) as deadlines
from {{ ref('scheme_actions') }} as scheme_actions
left join {{ ref('action_deadlines') }} as deadlines
    on (deadlines.lower_priority is null or scheme_actions.priority >= deadlines.lower_priority)
        and (
            deadlines.upper_priority is null
            or scheme_actions.priority <= deadlines.upper_priority
        )
group by
    scheme_actions.scheme,
    scheme_actions.version,
    scheme_actions.class_code,
    scheme_actions.action_code,
    scheme_actions.priority
having count(deadlines.due_days) <> 1
