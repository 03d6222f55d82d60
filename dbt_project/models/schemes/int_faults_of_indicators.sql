{{ config(materialized='view') }}
with indicators as (
    select * from {{ ref('scheme_indicators') }}
),

schemes as (
    select scheme, version from {{ ref('schemes') }}
),

bands as (
    select distinct scheme, version, indicator from {{ ref('scheme_bands') }}
),

lookups as (
    select distinct scheme, version, indicator from {{ ref('scheme_lookups') }}
),

metric_names as (
    select metric, value_kind from {{ ref('int_metric_names') }}
),

weights as (
    select scheme, version, sum(weight) as weight_sum
    from indicators
    group by scheme, version
),

named as (
    select
        indicators.*,
        metric_names.value_kind,
        'scheme_indicators: scheme ' || indicators.scheme || ', version '
        || cast(indicators.version as {{ text_type() }}) || ', indicator '
        || indicators.indicator as place,
        schemes.scheme is null as is_unknown_scheme,
        bands.indicator is not null as has_bands,
        lookups.indicator is not null as has_lookups,
        count(*) over (
            partition by indicators.scheme, indicators.version, indicators.indicator
        ) as same_indicator
    from indicators
    left join metric_names
        on indicators.metric = metric_names.metric
    left join schemes
        on indicators.scheme = schemes.scheme
            and indicators.version = schemes.version
    left join bands
        on indicators.scheme = bands.scheme
            and indicators.version = bands.version
            and indicators.indicator = bands.indicator
    left join lookups
        on indicators.scheme = lookups.scheme
            and indicators.version = lookups.version
            and indicators.indicator = lookups.indicator
),

faults as (
    select
        'scheme_indicators: scheme ' || scheme || ', version '
        || cast(version as {{ text_type() }}) || ': the weights sum to '
        || cast(weight_sum as {{ text_type() }}) || ', not to 100' as fault
    from weights
    where weight_sum <> 100
    union all
    select place || ': the weight is not above 0' as fault
    from named
    where coalesce(weight, 0) <= 0
    union all
    select place || ': the indicator stands there twice' as fault
    from named
    where same_indicator > 1
    union all
    select place || ': schemes has no such scheme and version' as fault
    from named
    where is_unknown_scheme
    union all
    select place || ': metric ' || coalesce(metric, '(empty)') || ' does not exist' as fault
    from named
    where value_kind is null
    union all
    select
        place || ': method ' || coalesce(method, '(empty)')
        || ' is none of band, quantile, percentile, min_max, cumulative_share, lookup' as fault
    from named
    where coalesce(method, '') not in (
            'band', 'quantile', 'percentile', 'min_max', 'cumulative_share', 'lookup'
        )
    union all
    select
        place || ': the code of an indicator is made of small letters, digits and _, and begins'
        || ' with a letter' as fault
    from named
    where not {{ regexp_like('indicator', '^[a-z][a-z0-9_]*$') }}
        or not {{ regexp_like("coalesce(indicator_group, 'a')", '^[a-z][a-z0-9_]*$') }}
    union all
    select place || ': method cumulative_share knows direction more_is_better only' as fault
    from named
    where method = 'cumulative_share' and direction <> 'more_is_better'
    union all
    select
        place || ': direction ' || coalesce(direction, '(empty)')
        || ' is neither more_is_better nor less_is_better' as fault
    from named
    where coalesce(direction, '') not in ('more_is_better', 'less_is_better')
    union all
    select
        place || ': missing_rule ' || missing_rule
        || ' is none of reweight, neutral, worst' as fault
    from named
    where missing_rule not in ('reweight', 'neutral', 'worst')
    union all
    select place || ': method quantile needs a band_count of 2 or more' as fault
    from named
    where method = 'quantile' and coalesce(band_count, 0) < 2
    union all
    select place || ': lower_bound is not below upper_bound' as fault
    from named
    where lower_bound >= upper_bound
    union all
    select place || ': method band has no row in scheme_bands' as fault
    from named
    where method = 'band' and not has_bands
    union all
    select place || ': method lookup has no row in scheme_lookups' as fault
    from named
    where method = 'lookup' and not has_lookups
    union all
    select
        place || ': method ' || method || ' does not fit a metric of kind ' || value_kind
            as fault
    from named
    where (method = 'lookup' and value_kind = 'number')
        or (method <> 'lookup' and value_kind = 'text')
)

-- a row without its key has no place to be named by
select distinct
    coalesce(
        fault,
        'scheme_indicators: a row lacks its scheme, version or indicator'
    ) as fault
from faults
