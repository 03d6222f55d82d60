with levels as (
    select as_of_date, customer_id, class_code, class_rank, version
    from {{ ref('scores') }}
    where scheme = 'relationship_level'
),

segments as (
    select as_of_date, customer_id, class_code
    from {{ ref('scores') }}
    where scheme = 'power_segment'
),

indices as (
    select
        as_of_date,
        customer_id,
        {{ rounded(ratio(
            "100 * sum(case when indicator_group = 'contact' then contribution end)",
            "sum(case when indicator_group = 'contact' then effective_weight end)"
        ), 4, 9) }} as contact_index,
        {{ rounded(ratio(
            "100 * sum(case when indicator_group = 'benefit' then contribution end)",
            "sum(case when indicator_group = 'benefit' then effective_weight end)"
        ), 4, 9) }} as benefit_index
    from {{ ref('score_details') }}
    where scheme = 'relationship_level'
    group by as_of_date, customer_id
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
        segments.class_code as segment,
        levels.class_code as current_level,
        classes.label_en as current_level_label_en,
        classes.label_zh as current_level_label_zh,
        targets.target_level,
        -- levels still to climb; negative above the target
        levels.class_rank - target_classes.class_rank as gap,
        indices.contact_index,
        indices.benefit_index,
        targets.strategy_en,
        targets.strategy_zh
    from levels
    inner join segments
        on levels.as_of_date = segments.as_of_date
            and levels.customer_id = segments.customer_id
    inner join indices
        on levels.as_of_date = indices.as_of_date
            and levels.customer_id = indices.customer_id
    left join classes
        on levels.version = classes.version
            and levels.class_code = classes.class_code
    left join targets
        on segments.class_code = targets.segment
    left join classes as target_classes
        on levels.version = target_classes.version
            and targets.target_level = target_classes.class_code
)

select * from joined
