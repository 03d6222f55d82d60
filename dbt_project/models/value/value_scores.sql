{%- set plan = scheme_plan() -%}
with points as (
    select * from {{ ref('int_scheme_points') }}
),

classes as (
    select version, class_code, label_en, label_zh
    from {{ ref('scheme_classes') }}
    where scheme = 'value_score'
),

-- Each side on its own scale from 0 to 100; NULL when nothing is known of that side.
by_side as (
    select
        as_of_date,
        customer_id,
        {{ rounded(said_by(plan, 'value_score', 'group', 'current'), 4, 9) }}
            as current_value,
        {{ rounded(said_by(plan, 'value_score', 'group', 'potential'), 4, 9) }}
            as potential_value,
        cast({{ said_by(plan, 'value_score', 'score') }} as decimal(9, 4)) as score,
        cast({{ said_by(plan, 'value_score', 'class') }} as {{ text_type() }}) as class_code,
        cast({{ said_by(plan, 'value_score', 'class_rank') }} as integer) as class_rank,
        cast({{ said_by(plan, 'value_score', 'version') }} as integer) as version
    from points
    where {{ said_by(plan, 'value_score', 'score') }} is not null
),

labelled as (
    select
        by_side.as_of_date,
        by_side.customer_id,
        by_side.current_value,
        by_side.potential_value,
        by_side.score,
        by_side.class_code,
        by_side.class_rank,
        classes.label_en as class_label_en,
        classes.label_zh as class_label_zh
    from by_side
    left join classes
        on by_side.version = classes.version
            and by_side.class_code = classes.class_code
)

select * from labelled
