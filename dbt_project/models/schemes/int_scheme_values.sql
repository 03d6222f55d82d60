with customer_metrics as (
    select * from {{ ref('customer_metrics') }}
),

versions as (
    select * from {{ ref('int_scheme_versions') }}
),

indicators as (
    select scheme, version, indicator, metric from {{ ref('scheme_indicators') }}
),

in_force as (
    select
        versions.scheme,
        versions.version,
        versions.eligible_metric,
        customer_metrics.*
    from customer_metrics
    inner join versions
        on customer_metrics.as_of_date >= versions.valid_from
            and (
                versions.valid_to is null
                or customer_metrics.as_of_date < versions.valid_to
            )
),

eligible as (
    select *
    from in_force
    where eligible_metric is null
        or {{ metric_value('in_force', 'eligible_metric', 'number') }} is not null
        or {{ metric_value('in_force', 'eligible_metric', 'text') }} is not null
),

read_by_name as (
    select
        eligible.as_of_date,
        eligible.scheme,
        eligible.version,
        eligible.customer_id,
        indicators.indicator,
        {{ metric_value('eligible', 'indicators.metric', 'number') }} as number_value,
        {{ metric_value('eligible', 'indicators.metric', 'text') }} as text_value
    from eligible
    inner join indicators
        on eligible.scheme = indicators.scheme
            and eligible.version = indicators.version
)

select * from read_by_name
