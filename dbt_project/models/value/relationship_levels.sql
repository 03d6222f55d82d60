{%- set plan = scheme_plan() -%}
with points as (
    select * from {{ ref('int_scheme_points') }}
),

levels as (
    select
        as_of_date,
        customer_id,
        cast({{ said_by(plan, 'power_segment', 'class') }} as {{ text_type() }}) as segment,
        cast({{ said_by(plan, 'relationship_level', 'class') }} as {{ text_type() }})
            as class_code,
        cast({{ said_by(plan, 'relationship_level', 'class_rank') }} as integer) as class_rank,
        cast({{ said_by(plan, 'relationship_level', 'version') }} as integer) as version,
        {{ rounded(said_by(plan, 'relationship_level', 'group', 'contact'), 4, 9) }}
            as contact_index,
        {{ rounded(said_by(plan, 'relationship_level', 'group', 'benefit'), 4, 9) }}
            as benefit_index
    from points
    where {{ said_by(plan, 'relationship_level', 'score') }} is not null
        and {{ said_by(plan, 'power_segment', 'score') }} is not null
),

classes as (
    select version, class_code, class_rank, label_en, label_zh
    from {{ ref('scheme_classes') }}
    where scheme = 'relationship_level'
),

targets as (
    select * from {{ ref('relationship_targets') }}
),

joined as (
    select
        levels.as_of_date,
        levels.customer_id,
        levels.segment,
        levels.class_code as current_level,
        classes.label_en as current_level_label_en,
        classes.label_zh as current_level_label_zh,
        targets.target_level,
        -- levels still to climb; negative above the target
        levels.class_rank - target_classes.class_rank as gap,
        levels.contact_index,
        levels.benefit_index,
        targets.strategy_en,
        targets.strategy_zh
    from levels
    left join classes
        on levels.version = classes.version
            and levels.class_code = classes.class_code
    left join targets
        on levels.segment = targets.segment
    left join classes as target_classes
        on levels.version = target_classes.version
            and targets.target_level = target_classes.class_code
)

select * from joined
