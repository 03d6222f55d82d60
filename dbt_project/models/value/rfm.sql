{%- set plan = scheme_plan() -%}
with points as (
    select * from {{ ref('int_scheme_points') }}
),

side_by_side as (
    select
        as_of_date,
        customer_id,
        cast({{ said_by(plan, 'rfm', 'value', 'recency') }} as bigint) as recency_days,
        cast({{ said_by(plan, 'rfm', 'value', 'frequency') }} as bigint) as frequency,
        {{ money(said_by(plan, 'rfm', 'value', 'monetary'), 4) }} as monetary,
        '{{ var("reporting_currency") }}' as currency_code,
        cast({{ said_by(plan, 'rfm', 'band', 'recency') }} as integer) as r_score,
        cast({{ said_by(plan, 'rfm', 'band', 'frequency') }} as integer) as f_score,
        cast({{ said_by(plan, 'rfm', 'band', 'monetary') }} as integer) as m_score,
        cast({{ said_by(plan, 'rfm', 'class') }} as {{ text_type() }}) as segment
    from points
    where {{ said_by(plan, 'rfm', 'score') }} is not null
)

select * from side_by_side
