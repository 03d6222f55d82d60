with scores as (
    select as_of_date, customer_id, score, class_code, class_rank, version
    from {{ ref('scores') }}
    where scheme = 'value_score'
),

details as (
    select as_of_date, customer_id, indicator_group, contribution, effective_weight
    from {{ ref('score_details') }}
    where scheme = 'value_score'
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
        {{ rounded(ratio(
            "100 * sum(case when indicator_group = 'current' then contribution end)",
            "sum(case when indicator_group = 'current' then effective_weight end)"
        ), 4, 9) }} as current_value,
        {{ rounded(ratio(
            "100 * sum(case when indicator_group = 'potential' then contribution end)",
            "sum(case when indicator_group = 'potential' then effective_weight end)"
        ), 4, 9) }} as potential_value
    from details
    group by as_of_date, customer_id
),

joined as (
    select
        scores.as_of_date,
        scores.customer_id,
        by_side.current_value,
        by_side.potential_value,
        scores.score,
        scores.class_code,
        scores.class_rank,
        classes.label_en as class_label_en,
        classes.label_zh as class_label_zh
    from scores
    inner join by_side
        on scores.as_of_date = by_side.as_of_date
            and scores.customer_id = by_side.customer_id
    left join classes
        on scores.version = classes.version
            and scores.class_code = classes.class_code
)

select * from joined
