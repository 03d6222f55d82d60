with subjects as (
    select * from {{ ref('int_scheme_rule_subjects') }}
),

conditions as (
    select
        scheme,
        version,
        rule_order,
        class_code,
        subject,
        coalesce(operand, '') as operand,
        operator,
        threshold,
        count(*) over (partition by scheme, version, rule_order) as conditions_of_rule
    from {{ ref('scheme_rules') }}
),

rules as (
    select distinct scheme, version, rule_order, class_code from conditions
),

conditions_that_hold as (
    select
        subjects.as_of_date,
        subjects.scheme,
        subjects.version,
        subjects.customer_id,
        conditions.rule_order,
        conditions.conditions_of_rule
    from subjects
    inner join conditions
        on subjects.scheme = conditions.scheme
            and subjects.version = conditions.version
            and subjects.subject = conditions.subject
            and subjects.operand = conditions.operand
    where case
            when conditions.subject = 'always' then true
            when conditions.operator = '=' then subjects.subject_value = conditions.threshold
            when conditions.operator = '<>' then subjects.subject_value <> conditions.threshold
            when conditions.operator = '<' then subjects.subject_value < conditions.threshold
            when conditions.operator = '<=' then subjects.subject_value <= conditions.threshold
            when conditions.operator = '>' then subjects.subject_value > conditions.threshold
            when conditions.operator = '>=' then subjects.subject_value >= conditions.threshold
        end
),

rules_that_match as (
    select as_of_date, scheme, version, customer_id, rule_order
    from conditions_that_hold
    group by as_of_date, scheme, version, customer_id, rule_order, conditions_of_rule
    having count(*) = conditions_of_rule
),

first_matches as (
    select as_of_date, scheme, version, customer_id, min(rule_order) as rule_order
    from rules_that_match
    group by as_of_date, scheme, version, customer_id
),

classes as (
    select
        first_matches.as_of_date,
        first_matches.scheme,
        first_matches.version,
        first_matches.customer_id,
        rules.class_code
    from first_matches
    inner join rules
        on first_matches.scheme = rules.scheme
            and first_matches.version = rules.version
            and first_matches.rule_order = rules.rule_order
)

select * from classes
