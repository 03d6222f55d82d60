with scores as (
    select as_of_date, customer_id, class_code, version
    from {{ ref('scores') }}
    where scheme = 'power_segment'
        and as_of_date in (select dates.as_of_date from {{ ref('int_value_dates') }} as dates)
),

metrics as (
    select as_of_date, customer_id, kwh_12m, monetary_12m from {{ ref('customer_metrics') }}
    where as_of_date in (select dates.as_of_date from {{ ref('int_value_dates') }} as dates)
),

classes as (
    select version, class_code, label_en, label_zh
    from {{ ref('scheme_classes') }}
    where scheme = 'power_segment'
),

shares as (
    select segment, customer_share, kwh_share from {{ ref('segment_references') }}
),

counted as (
    select
        scores.as_of_date,
        scores.version,
        scores.class_code as segment,
        count(*) as customers,
        coalesce(sum(metrics.kwh_12m), 0) as kwh_12m,
        coalesce(sum(metrics.monetary_12m), 0) as amount_12m
    from scores
    inner join metrics
        on scores.as_of_date = metrics.as_of_date
            and scores.customer_id = metrics.customer_id
    group by scores.as_of_date, scores.version, scores.class_code
),

with_totals as (
    select
        counted.*,
        sum(customers) over (partition by as_of_date) as customers_total,
        sum(kwh_12m) over (partition by as_of_date) as kwh_total
    from counted
),

labelled as (
    select
        with_totals.as_of_date,
        with_totals.segment,
        classes.label_en as segment_label_en,
        classes.label_zh as segment_label_zh,
        with_totals.customers,
        {{ rounded(ratio('with_totals.customers', 'with_totals.customers_total'), 6) }}
            as customer_share,
        shares.customer_share as documented_customer_share,
        cast(with_totals.kwh_12m as decimal(18, 2)) as kwh_12m,
        {{ rounded(ratio('with_totals.kwh_12m', 'with_totals.kwh_total'), 6) }} as kwh_share,
        shares.kwh_share as documented_kwh_share,
        {{ money('with_totals.amount_12m', 4) }} as amount_12m,
        '{{ var("reporting_currency") }}' as currency_code
    from with_totals
    left join classes
        on with_totals.version = classes.version
            and with_totals.segment = classes.class_code
    left join shares
        on with_totals.segment = shares.segment
)

select * from labelled
