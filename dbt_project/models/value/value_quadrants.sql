{%- set plan = scheme_plan() -%}
with points as (
    select * from {{ ref('int_scheme_points') }}
),

scores as (
    select
        as_of_date,
        customer_id,
        cast({{ said_by(plan, 'value_quadrant', 'points', 'current') }} as decimal(9, 4))
            as current_points,
        cast({{ said_by(plan, 'value_quadrant', 'points', 'potential') }} as decimal(9, 4))
            as potential_points,
        cast({{ said_by(plan, 'value_quadrant', 'class') }} as {{ text_type() }}) as class_code,
        cast({{ said_by(plan, 'value_quadrant', 'class_rank') }} as integer) as class_rank,
        cast({{ said_by(plan, 'value_quadrant', 'version') }} as integer) as version
    from points
    where {{ said_by(plan, 'value_quadrant', 'score') }} is not null
),

classes as (
    select version, class_code, label_en, label_zh
    from {{ ref('scheme_classes') }}
    where scheme = 'value_quadrant'
),

-- The as-of date nearest to three months before, and not later.
quarters as (
    select
        dates.as_of_date,
        max(earlier.as_of_date) as quarter_ago
    from {{ ref('int_as_of_dates') }} as dates
    inner join {{ ref('int_as_of_dates') }} as earlier
        on earlier.as_of_date <= {{ add_months('dates.as_of_date', -3) }}
    group by dates.as_of_date
),

joined as (
    select
        scores.as_of_date,
        scores.customer_id,
        scores.current_points,
        scores.potential_points,
        scores.class_code as quadrant,
        classes.label_en as quadrant_label_en,
        classes.label_zh as quadrant_label_zh,
        quarters.quarter_ago,
        earlier.class_code as quadrant_a_quarter_ago,
        case
            when earlier.class_code is null then null
            when scores.class_rank < earlier.class_rank then 'up'
            when scores.class_rank > earlier.class_rank then 'down'
            else 'same'
        end as movement
    from scores
    left join classes
        on scores.version = classes.version
            and scores.class_code = classes.class_code
    left join quarters
        on scores.as_of_date = quarters.as_of_date
    left join scores as earlier
        on quarters.quarter_ago = earlier.as_of_date
            and scores.customer_id = earlier.customer_id
)

select * from joined
