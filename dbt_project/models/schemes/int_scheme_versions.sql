-- depends_on: {{ ref('int_scheme_faults') }}
with schemes as (
    select * from {{ ref('schemes') }}
),

with_validity as (
    select
        scheme,
        version,
        valid_from,
        lead(valid_from) over (
            partition by scheme
            order by valid_from asc nulls last
        ) as valid_to,
        missing_rule,
        eligible_metric
    from schemes
)

select * from with_validity
