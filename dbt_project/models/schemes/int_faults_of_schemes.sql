{{ config(materialized='view') }}
with schemes as (
    select * from {{ ref('schemes') }}
),

indicators as (
    select scheme, version from {{ ref('scheme_indicators') }}
),

classes as (
    select scheme, version, class_code, class_rank from {{ ref('scheme_classes') }}
),

actions as (
    select scheme, version, class_code from {{ ref('scheme_actions') }}
),

metric_names as (
    select metric from {{ ref('int_metric_names') }}
),

named as (
    select
        schemes.*,
        'schemes: scheme ' || scheme || ', version ' || cast(version as {{ text_type() }})
            as place,
        count(*) over (partition by scheme, version) as same_version,
        count(*) over (partition by scheme, valid_from) as same_day
    from schemes
),

faults as (
    select place || ': this version stands there twice' as fault
    from named
    where same_version > 1
    union all
    select place || ': another version begins on the same day' as fault
    from named
    where same_day > 1
    union all
    select place || ': valid_from is empty' as fault
    from named
    where valid_from is null
    union all
    select
        place || ': missing_rule ' || coalesce(missing_rule, '(empty)')
        || ' is none of reweight, neutral, worst' as fault
    from named
    where coalesce(missing_rule, '') not in ('reweight', 'neutral', 'worst')
    union all
    select
        place || ': eligible_metric ' || eligible_metric
        || ' is no metric, nor a metric compared with a number' as fault
    from named
    where eligible_metric is not null
        and (
            split_part(eligible_metric, ' ', 1)
            not in (select metric_names.metric from metric_names)
            or not {{ regexp_like(
                'eligible_metric', '^[a-z0-9_]+( (=|<>|<|<=|>|>=) -?[0-9]+([.][0-9]+)?)?$'
            ) }}
        )
    union all
    select
        place || ': the code of a scheme is made of small letters, digits and _, and begins with'
        || ' a letter' as fault
    from named
    where not {{ regexp_like('scheme', '^[a-z][a-z0-9_]*$') }}
    union all
    select
        'scheme_classes: scheme ' || scheme || ', version '
        || cast(version as {{ text_type() }}) || ', class ' || class_code
        || ': no row of scheme_actions says what to do for it' as fault
    from classes
    where not exists (
            select 1 from actions
            where actions.scheme = classes.scheme
                and actions.version = classes.version
                and actions.class_code = classes.class_code
        )
    union all
    select
        'scheme_classes: scheme ' || scheme || ', version '
        || cast(version as {{ text_type() }}) || ', class ' || class_code
        || ': the code of a class is made of letters, digits and _, and is not unclassed'
            as fault
    from classes
    where class_code = 'unclassed' or not {{ regexp_like('class_code', '^[A-Za-z][A-Za-z0-9_]*$') }}
    union all
    select place || ': has no indicator in scheme_indicators' as fault
    from named
    where not exists (
            select 1 from indicators
            where indicators.scheme = named.scheme and indicators.version = named.version
        )
    union all
    select place || ': has no class in scheme_classes' as fault
    from named
    where not exists (
            select 1 from classes
            where classes.scheme = named.scheme and classes.version = named.version
        )
    union all
    select
        'scheme_classes: scheme ' || scheme || ', version '
        || cast(version as {{ text_type() }}) || ', class ' || class_code
        || ': the code or its rank stands there twice' as fault
    from (
        select
            classes.*,
            count(*) over (partition by scheme, version, class_code) as same_code,
            count(*) over (partition by scheme, version, class_rank) as same_rank
        from classes
    ) as counted
    where same_code > 1 or same_rank > 1
)

-- a row without its key has no place to be named by
select distinct
    coalesce(
        fault,
        'schemes or scheme_classes: a row lacks its scheme, version or class'
    ) as fault
from faults
