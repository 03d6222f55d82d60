with customer_metrics as (
    select * from {{ ref('customer_metrics') }}
),

versions as (
    select * from {{ ref('int_scheme_versions') }}
),

indicators as (
    select scheme, version, indicator, metric from {{ ref('scheme_indicators') }}
),

read_by_name as (
    select
        customer_metrics.as_of_date,
        versions.scheme,
        versions.version,
        customer_metrics.customer_id,
        indicators.indicator,
        {{ metric_value('customer_metrics', 'indicators.metric', 'number') }} as number_value,
        {{ metric_value('customer_metrics', 'indicators.metric', 'text') }} as text_value,
        versions.eligible_metric is null
        or {{ metric_value('customer_metrics', 'versions.eligible_metric', 'number') }}
            is not null
        or {{ metric_value('customer_metrics', 'versions.eligible_metric', 'text') }}
            is not null as is_eligible
    from customer_metrics
    inner join versions
        on customer_metrics.as_of_date >= versions.valid_from
            and (
                versions.valid_to is null
                or customer_metrics.as_of_date < versions.valid_to
            )
    inner join indicators
        on versions.scheme = indicators.scheme
            and versions.version = indicators.version
),

eligible as (
    select as_of_date, scheme, version, customer_id, indicator, number_value, text_value
    from read_by_name
    where is_eligible
)

select * from eligible
