with scores as (
    select as_of_date, customer_id, class_code
    from {{ ref('scores') }}
    where scheme = 'rfm'
),

details as (
    select as_of_date, customer_id, indicator, raw_value, band
    from {{ ref('score_details') }}
    where scheme = 'rfm'
),

side_by_side as (
    select
        as_of_date,
        customer_id,
        cast(max(case when indicator = 'recency' then raw_value end) as bigint) as recency_days,
        cast(max(case when indicator = 'frequency' then raw_value end) as bigint) as frequency,
        {{ money("max(case when indicator = 'monetary' then raw_value end)", 4) }} as monetary,
        cast(max(case when indicator = 'recency' then band end) as integer) as r_score,
        cast(max(case when indicator = 'frequency' then band end) as integer) as f_score,
        cast(max(case when indicator = 'monetary' then band end) as integer) as m_score
    from details
    group by as_of_date, customer_id
),

joined as (
    select
        scores.as_of_date,
        scores.customer_id,
        side_by_side.recency_days,
        side_by_side.frequency,
        side_by_side.monetary,
        '{{ var("reporting_currency") }}' as currency_code,
        side_by_side.r_score,
        side_by_side.f_score,
        side_by_side.m_score,
        scores.class_code as segment
    from scores
    inner join side_by_side
        on scores.as_of_date = side_by_side.as_of_date
            and scores.customer_id = side_by_side.customer_id
)

select * from joined
