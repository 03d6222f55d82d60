{{ config(materialized='view') }}
with rules as (
    select * from {{ ref('scheme_rules') }}
),

actions as (
    select * from {{ ref('scheme_actions') }}
),

classes as (
    select scheme, version, class_code from {{ ref('scheme_classes') }}
),

indicators as (
    select scheme, version, indicator, indicator_group from {{ ref('scheme_indicators') }}
),

metric_names as (
    select metric from {{ ref('int_metric_names') }}
    where value_kind = 'number'
),

operands as (
    select scheme, version, 'indicator' as operand_kind, indicator as operand from indicators
    union
    select scheme, version, 'group' as operand_kind, indicator_group as operand from indicators
    union
    -- another scheme, as long as it reads none itself
    select distinct
        rules.scheme,
        rules.version,
        'scheme' as operand_kind,
        classes.scheme as operand
    from rules
    inner join classes
        on rules.scheme <> classes.scheme
    where classes.scheme not in (
            select others.scheme from rules as others
            where others.subject in ('class_rank', 'scheme_score')
        )
),

named as (
    select
        rules.*,
        'scheme_rules: scheme ' || rules.scheme || ', version '
        || cast(rules.version as {{ text_type() }}) || ', rule '
        || cast(rules.rule_order as {{ text_type() }}) || ', condition '
        || cast(rules.condition_no as {{ text_type() }}) as place,
        case
            when rules.subject in ('indicator_band', 'indicator_points') then 'indicator'
            when rules.subject in ('group_band', 'group_points') then 'group'
            when rules.subject in ('class_rank', 'scheme_score') then 'scheme'
        end as operand_kind,
        max(rules.rule_order) over (partition by rules.scheme, rules.version) as last_rule,
        count(*) over (partition by rules.scheme, rules.version, rules.rule_order)
            as conditions_of_rule,
        min(rules.class_code) over (partition by rules.scheme, rules.version, rules.rule_order)
            as lowest_class
    from rules
),

with_operands as (
    select
        named.*,
        operands.operand is not null as is_known_operand,
        metric_names.metric is not null as is_metric,
        classes.class_code is not null as is_known_class
    from named
    left join operands
        on named.scheme = operands.scheme
            and named.version = operands.version
            and named.operand_kind = operands.operand_kind
            and named.operand = operands.operand
    left join metric_names
        on named.operand = metric_names.metric
    left join classes
        on named.scheme = classes.scheme
            and named.version = classes.version
            and named.class_code = classes.class_code
),

faults as (
    select place || ': scheme_classes has no class ' || class_code as fault
    from with_operands
    where not is_known_class
    union all
    select place || ': one rule leads to two classes' as fault
    from with_operands
    where class_code <> lowest_class
    union all
    select
        place || ': subject ' || coalesce(subject, '(empty)')
        || ' is none of indicator_band, indicator_points, group_band, group_points, score,'
        || ' metric, class_rank, scheme_score, always' as fault
    from with_operands
    where coalesce(subject, '') not in (
            'indicator_band', 'indicator_points', 'group_band', 'group_points', 'score', 'metric',
            'class_rank', 'scheme_score', 'always'
        )
    union all
    select
        place || ': operand ' || coalesce(operand, '(empty)') || ' is no ' || subject
        || case when operand_kind = 'scheme' then ', or reads another class itself' else '' end
            as fault
    from with_operands
    where (operand_kind is not null and not is_known_operand)
        or (subject = 'metric' and not is_metric)
    union all
    select
        place || ': the operator is none of =, <>, <, <=, >, >=, or the threshold is empty'
            as fault
    from with_operands
    where coalesce(subject, '') <> 'always'
        and (
            coalesce(operator, '') not in ('=', '<>', '<', '<=', '>', '>=')
            or threshold is null
        )
    union all
    select
        place || ': the last rule must be the default, one condition with subject always'
            as fault
    from with_operands
    where rule_order = last_rule
        and (coalesce(subject, '') <> 'always' or conditions_of_rule > 1)
    union all
    select
        'scheme_actions: scheme ' || actions.scheme || ', version '
        || cast(actions.version as {{ text_type() }}) || ', class ' || actions.class_code
        || ', action ' || actions.action_code || ': scheme_classes has no such class' as fault
    from actions
    left join classes
        on actions.scheme = classes.scheme
            and actions.version = classes.version
            and actions.class_code = classes.class_code
    where classes.class_code is null
)

-- a row without its key has no place to be named by
select distinct
    coalesce(
        fault,
        'scheme_rules or scheme_actions: a row lacks its scheme, version, rule, class or action'
    ) as fault
from faults
