with scheme_values as (
    select * from {{ ref('int_scheme_values') }}
),

points as (
    select * from {{ ref('int_scheme_points') }}
),

versions as (
    select scheme, version, missing_rule from {{ ref('int_scheme_versions') }}
),

indicators as (
    select * from {{ ref('scheme_indicators') }}
),

with_points as (
    select
        scheme_values.as_of_date,
        scheme_values.scheme,
        scheme_values.version,
        scheme_values.customer_id,
        scheme_values.indicator,
        indicators.indicator_group,
        indicators.metric,
        scheme_values.number_value,
        scheme_values.text_value,
        points.band,
        points.points as known_points,
        points.points is null as is_missing,
        coalesce(indicators.missing_rule, versions.missing_rule) as missing_rule,
        indicators.weight
    from scheme_values
    inner join indicators
        on scheme_values.scheme = indicators.scheme
            and scheme_values.version = indicators.version
            and scheme_values.indicator = indicators.indicator
    inner join versions
        on scheme_values.scheme = versions.scheme
            and scheme_values.version = versions.version
    left join points
        on scheme_values.as_of_date = points.as_of_date
            and scheme_values.scheme = points.scheme
            and scheme_values.customer_id = points.customer_id
            and scheme_values.indicator = points.indicator
),

treated as (
    select
        with_points.*,
        case when is_missing then missing_rule end as missing_treatment,
        case
            when not is_missing then known_points
            when missing_rule = 'neutral' then cast(50 as decimal(9, 4))
            when missing_rule = 'worst' then cast(0 as decimal(9, 4))
        end as points,
        case when is_missing and missing_rule = 'reweight' then 0 else weight end
            as counted_weight
    from with_points
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
