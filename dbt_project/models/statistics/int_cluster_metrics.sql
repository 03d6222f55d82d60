with metrics as (
    select
        as_of_date,
        customer_id,
        recency_days,
        frequency_total,
        monetary_12m,
        monetary_total,
        tenure_days,
        product_class_count
    from {{ ref('customer_metrics') }}
    where frequency_total > 0
),

newest as (
    select max(as_of_date) as as_of_date from {{ ref('int_as_of_dates') }}
)

select
    metrics.as_of_date,
    metrics.customer_id,
    metrics.recency_days,
    metrics.frequency_total,
    metrics.monetary_12m,
    metrics.monetary_total,
    metrics.tenure_days,
    metrics.product_class_count
from metrics
inner join newest
    on metrics.as_of_date = newest.as_of_date
