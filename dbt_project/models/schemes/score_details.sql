with points as (
    select * from {{ ref('int_scheme_points') }}
),

versions as (
    select scheme, version, missing_rule from {{ ref('int_scheme_versions') }}
),

indicators as (
    select * from {{ ref('scheme_indicators') }}
),

with_weights as (
    select
        points.as_of_date,
        points.scheme,
        points.version,
        points.customer_id,
        points.indicator,
        indicators.indicator_group,
        indicators.metric,
        points.number_value,
        points.text_value,
        points.band,
        points.points as known_points,
        points.points is null as is_missing,
        coalesce(indicators.missing_rule, versions.missing_rule) as missing_rule,
        indicators.weight
    from points
    inner join indicators
        on points.scheme = indicators.scheme
            and points.version = indicators.version
            and points.indicator = indicators.indicator
    inner join versions
        on points.scheme = versions.scheme
            and points.version = versions.version
),

treated as (
    select
        with_weights.*,
        case when is_missing then missing_rule end as missing_treatment,
        case
            when not is_missing then known_points
            when missing_rule = 'neutral' then cast(50 as decimal(9, 4))
            when missing_rule = 'worst' then cast(0 as decimal(9, 4))
        end as points,
        case when is_missing and missing_rule = 'reweight' then 0 else weight end
            as counted_weight
    from with_weights
),

with_counted_total as (
    select
        treated.*,
        sum(counted_weight) over (
            partition by as_of_date, scheme, customer_id
        ) as counted_total
    from treated
),

explained as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        indicator,
        indicator_group,
        metric,
        number_value as raw_value,
        text_value as raw_text,
        band,
        points,
        cast(weight as decimal(7, 4)) as weight,
        cast(100 * cast(counted_weight as double) / cast(counted_total as double) as decimal(12, 8))
            as effective_weight,
        cast(
            coalesce(points, 0) * counted_weight / cast(counted_total as double)
            as decimal(12, 8)
        ) as contribution,
        is_missing,
        missing_treatment
    from with_counted_total
    -- a customer of whom every indicator is missing has no score
    where counted_total > 0
)

select * from explained
