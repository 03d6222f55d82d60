with totals as (
    select * from {{ ref('int_scheme_totals') }}
),

classes as (
    select * from {{ ref('scheme_classes') }}
),

rule_classes as (
    select as_of_date, scheme, customer_id, class_code
    from {{ ref('int_scheme_rule_classes') }}
),

-- A class has bounds, or rules lead to it; the seeds' laws keep a scheme from mixing both.
classified as (
    select
        totals.as_of_date,
        totals.scheme,
        totals.customer_id,
        totals.score,
        classes.class_code,
        classes.class_rank,
        totals.version
    from totals
    left join rule_classes
        on totals.as_of_date = rule_classes.as_of_date
            and totals.scheme = rule_classes.scheme
            and totals.customer_id = rule_classes.customer_id
    left join classes
        on totals.scheme = classes.scheme
            and totals.version = classes.version
            and (
                classes.class_code = rule_classes.class_code
                or (
                    rule_classes.class_code is null
                    and (classes.lower is null or totals.score >= classes.lower)
                    and (classes.upper is null or totals.score < classes.upper)
                )
            )
)

select * from classified
