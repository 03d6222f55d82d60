{%- set plan = scheme_plan() -%}
with points as (
    select * from {{ ref('int_scheme_points') }}
),

side_by_side as (
    select
        as_of_date,
        customer_id,
        {%- for kind in ['tariff', 'safety', 'contract'] %}
        cast(100 - {{ said_by(plan, 'risk_kind', 'points', kind) }} as decimal(9, 4))
            as {{ kind }}_risk,
        {%- endfor %}
        cast(100 - {{ said_by(plan, 'risk_kind', 'score') }} as decimal(9, 4)) as overall_risk,
        cast({{ said_by(plan, 'risk_kind', 'class') }} as {{ text_type() }}) as leading_kind,
        cast({{ said_by(plan, 'risk_kind', 'class_rank') }} as integer) as kind_rank
    from points
    where {{ said_by(plan, 'risk_kind', 'score') }} is not null
)

select * from side_by_side
