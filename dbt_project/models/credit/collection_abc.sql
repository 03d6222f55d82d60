with scores as (
    select as_of_date, customer_id, score, class_code, class_rank
    from {{ ref('scores') }}
    where scheme = 'collection_abc'
        and as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
),

classes as (
    select class_code, label_en, label_zh
    from {{ ref('scheme_classes') }}
    where scheme = 'collection_abc' and version = 1
),

customer_metrics as (
    select
        as_of_date,
        customer_id,
        order_count_12m,
        monetary_12m,
        open_amount,
        days_late_mean,
        collection_count,
        written_off_count,
        currency_code
    from {{ ref('customer_metrics') }}
    where as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
)

select
    scores.as_of_date,
    scores.customer_id,
    scores.score,
    scores.class_code,
    scores.class_rank,
    classes.label_en as class_label_en,
    classes.label_zh as class_label_zh,
    customer_metrics.order_count_12m,
    customer_metrics.monetary_12m,
    customer_metrics.open_amount,
    customer_metrics.days_late_mean,
    customer_metrics.collection_count,
    customer_metrics.written_off_count,
    customer_metrics.currency_code
from scores
inner join customer_metrics
    on scores.as_of_date = customer_metrics.as_of_date
        and scores.customer_id = customer_metrics.customer_id
left join classes
    on scores.class_code = classes.class_code
