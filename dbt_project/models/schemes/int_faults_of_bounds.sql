{{ config(materialized='view') }}
with bands as (
    select * from {{ ref('scheme_bands') }}
),

lookups as (
    select * from {{ ref('scheme_lookups') }}
),

indicators as (
    select scheme, version, indicator, method from {{ ref('scheme_indicators') }}
),

classes as (
    select * from {{ ref('scheme_classes') }}
),

ruled as (
    select distinct scheme, version from {{ ref('scheme_rules') }}
),

buckets as (
    select * from {{ ref('ageing_buckets') }}
),

-- Everything with bounds in one form: a scale, and on it intervals [lower, upper).
intervals as (
    select
        'scheme_bands: scheme ' || scheme || ', version ' || cast(version as {{ text_type() }})
        || ', indicator ' || indicator as scale,
        lower,
        upper
    from bands
    union all
    select
        'scheme_classes: scheme ' || classes.scheme || ', version '
        || cast(classes.version as {{ text_type() }}) as scale,
        classes.lower,
        classes.upper
    from classes
    left join ruled
        on classes.scheme = ruled.scheme
            and classes.version = ruled.version
    where ruled.scheme is null
    union all
    -- both bounds of a bucket are days that belong to it
    select
        'ageing_buckets: all' as scale,
        cast(lower_days as decimal(18, 6)) as lower,
        cast(upper_days + 1 as decimal(18, 6)) as upper
    from buckets
),

neighbours as (
    select
        scale || ', lower bound ' || coalesce(cast(lower as {{ text_type() }}), '(none)')
            as place,
        lower,
        upper,
        lead(lower) over (partition by scale order by lower asc nulls first) as next_lower,
        row_number() over (partition by scale order by lower asc nulls first) as place_from_below,
        row_number() over (partition by scale order by lower desc nulls last) as place_from_above
    from intervals
),

faults as (
    select
        place || ': the lowest one must have no lower bound, or values below it get nothing'
            as fault
    from neighbours
    where place_from_below = 1 and lower is not null
    union all
    select
        place || ': the highest one must have no upper bound, or values above it get nothing'
            as fault
    from neighbours
    where place_from_above = 1 and upper is not null
    union all
    select place || ': a second one without a lower bound overlaps the first' as fault
    from neighbours
    where place_from_below > 1 and lower is null
    union all
    select place || ': the upper bound is not above the lower bound' as fault
    from neighbours
    where upper <= lower
    union all
    select
        place || ': ends at ' || cast(upper as {{ text_type() }})
        || ' and leaves a gap, the next one begins at ' || cast(next_lower as {{ text_type() }})
            as fault
    from neighbours
    where upper < next_lower
    union all
    select
        place || ': ends at ' || coalesce(cast(upper as {{ text_type() }}), '(none)')
        || ' and overlaps the next one, which begins at '
        || cast(next_lower as {{ text_type() }}) as fault
    from neighbours
    where next_lower is not null
        and (upper is null or upper > next_lower)
    union all
    select
        'scheme_bands: scheme ' || bands.scheme || ', version '
        || cast(bands.version as {{ text_type() }}) || ', indicator ' || bands.indicator
        || ': scheme_indicators has no such indicator with method band' as fault
    from bands
    left join indicators
        on bands.scheme = indicators.scheme
            and bands.version = indicators.version
            and bands.indicator = indicators.indicator
            and indicators.method = 'band'
    where indicators.indicator is null
    union all
    select
        'scheme_bands: scheme ' || scheme || ', version ' || cast(version as {{ text_type() }})
        || ', indicator ' || indicator || ', lower bound '
        || coalesce(cast(lower as {{ text_type() }}), '(none)')
        || ': points are not within 0 and 100' as fault
    from bands
    where points is null or points < 0 or points > 100
    union all
    select
        'scheme_lookups: scheme ' || scheme || ', version '
        || cast(version as {{ text_type() }}) || ', indicator ' || indicator || ', value '
        || coalesce(lookup_value, '(none)')
        || ': the value stands there twice, or its points are not within 0 and 100' as fault
    from (
        select
            lookups.*,
            count(*) over (partition by scheme, version, indicator, lookup_value) as same_value
        from lookups
    ) as counted
    where same_value > 1 or points is null or points < 0 or points > 100
    union all
    select
        'scheme_classes: scheme ' || classes.scheme || ', version '
        || cast(classes.version as {{ text_type() }}) || ', class ' || classes.class_code
        || ': has bounds although scheme_rules decide the class' as fault
    from classes
    inner join ruled
        on classes.scheme = ruled.scheme
            and classes.version = ruled.version
    where classes.lower is not null or classes.upper is not null
)

-- a row without its key has no place to be named by
select distinct
    coalesce(
        fault,
        'scheme_bands, scheme_lookups or scheme_classes: a row lacks its scheme, version, '
        || 'indicator or class'
    ) as fault
from faults
