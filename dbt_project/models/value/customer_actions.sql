with deadlines as (
    select * from {{ ref('action_deadlines') }}
),

-- Every action a number, the most urgent first.
actions as (
    select
        scheme_actions.*,
        deadlines.due_days,
        row_number() over (
            order by
                scheme_actions.priority asc nulls last,
                scheme_actions.scheme asc nulls last,
                scheme_actions.version asc nulls last,
                scheme_actions.class_code asc nulls last,
                scheme_actions.action_code asc nulls last
        ) as action_no
    from {{ ref('scheme_actions') }} as scheme_actions
    inner join deadlines
        on (
            deadlines.lower_priority is null
            or scheme_actions.priority >= deadlines.lower_priority
        )
        and (
            deadlines.upper_priority is null
            or scheme_actions.priority <= deadlines.upper_priority
        )
),

-- Of a class, one action for each who acts.
first_actions as (
    select scheme, version, class_code, owner_role, min(action_no) as action_no
    from actions
    group by scheme, version, class_code, owner_role
),

scores as (
    select
        scores.as_of_date,
        scores.scheme,
        scores.version,
        scores.customer_id,
        scores.class_code,
        scores.weakest_indicator
    from {{ ref('scores') }} as scores
    where scores.as_of_date = {{ newest_as_of_date() }}
),

-- Of a customer, the most urgent for each who acts.
chosen as (
    select
        scores.as_of_date,
        scores.customer_id,
        min(first_actions.action_no) as action_no,
        -- '' stands for none: a null would be passed over
        {{ max_by("coalesce(scores.weakest_indicator, '')", '0 - first_actions.action_no') }}
            as weakest_indicator
    from scores
    inner join first_actions
        on scores.scheme = first_actions.scheme
            and scores.version = first_actions.version
            and scores.class_code = first_actions.class_code
    group by scores.as_of_date, scores.customer_id, first_actions.owner_role
),

worklist as (
    select
        chosen.as_of_date,
        chosen.customer_id,
        actions.action_code,
        actions.text_en,
        actions.text_zh,
        actions.owner_role,
        actions.priority,
        actions.scheme,
        actions.class_code,
        trim(actions.scheme || ':' || actions.class_code || ' ' || chosen.weakest_indicator)
            as reason_codes,
        {{ add_days('chosen.as_of_date', 'actions.due_days') }} as due_date,
        actions.needs_review,
        'proposed' as status
    from chosen
    inner join actions
        on chosen.action_no = actions.action_no
)

select * from worklist
