with scores as (
    select as_of_date, customer_id, class_code, class_rank, version
    from {{ ref('scores') }}
    where scheme = 'value_quadrant'
),

details as (
    select
        as_of_date,
        customer_id,
        max(case when indicator = 'current' then points end) as current_points,
        max(case when indicator = 'potential' then points end) as potential_points
    from {{ ref('score_details') }}
    where scheme = 'value_quadrant'
    group by as_of_date, customer_id
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
        details.current_points,
        details.potential_points,
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
    inner join details
        on scores.as_of_date = details.as_of_date
            and scores.customer_id = details.customer_id
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
