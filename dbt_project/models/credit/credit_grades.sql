with scores as (
    select as_of_date, customer_id, scheme, score, class_code, class_rank, version
    from {{ ref('scores') }}
    where scheme = 'power_credit'
        and as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
),

as_of_dates as (
    select as_of_dates.as_of_date, as_of_dates.previous_as_of_date
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join {{ ref('int_credit_dates') }} as dates
        on as_of_dates.as_of_date = dates.as_of_date
),

previous_scores as (
    select as_of_date, customer_id, class_code from {{ ref('scores') }}
    where scheme = 'power_credit'
        and as_of_date in (select as_of_dates.previous_as_of_date from as_of_dates)
),

classes as (
    select scheme, version, class_code, label_en, label_zh, review_interval_months
    from {{ ref('scheme_classes') }}
),

graded as (
    select
        scores.as_of_date,
        scores.customer_id,
        scores.scheme,
        scores.score,
        scores.class_code as grade,
        previous_scores.class_code as previous_grade,
        scores.class_rank as grade_rank,
        classes.label_en as grade_label_en,
        classes.label_zh as grade_label_zh,
        scores.as_of_date as reviewed_date,
        {{ add_months('scores.as_of_date', 'classes.review_interval_months') }}
            as next_review_date
    from scores
    inner join as_of_dates
        on scores.as_of_date = as_of_dates.as_of_date
    inner join classes
        on scores.scheme = classes.scheme
            and scores.version = classes.version
            and scores.class_code = classes.class_code
    left join previous_scores
        on as_of_dates.previous_as_of_date = previous_scores.as_of_date
            and scores.customer_id = previous_scores.customer_id
)

select * from graded
