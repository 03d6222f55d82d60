with points as (
    select * from {{ ref('int_scheme_points') }}
),

-- No row: it says the types, and holds where no scheme is in force.
explained as (
    select
        as_of_date,
        cast(null as {{ text_type() }}) as scheme,
        cast(null as integer) as version,
        customer_id,
        cast(null as {{ text_type() }}) as indicator,
        cast(null as {{ text_type() }}) as indicator_group,
        cast(null as {{ text_type() }}) as metric,
        cast(null as decimal(24, 6)) as raw_value,
        cast(null as {{ text_type() }}) as raw_text,
        cast(null as bigint) as band,
        cast(null as decimal(9, 4)) as points,
        cast(null as decimal(7, 4)) as weight,
        cast(null as decimal(12, 8)) as effective_weight,
        cast(null as decimal(12, 8)) as contribution,
        cast(null as boolean) as is_missing,
        cast(null as {{ text_type() }}) as missing_treatment
    from points
    where 1 = 0
    {%- for one in scheme_plan() %}{% for indicator in one.indicators %}
    union all
    select
        as_of_date,
        '{{ one.scheme }}' as scheme,
        {{ one.version }} as version,
        customer_id,
        '{{ indicator.indicator }}' as indicator,
        {{ "'" ~ indicator.indicator_group ~ "'" if indicator.indicator_group else 'null' }}
            as indicator_group,
        '{{ indicator.metric }}' as metric,
        {{ indicator.metric if indicator.kind == 'number' else 'null' }} as raw_value,
        {{ indicator.metric if indicator.kind == 'text' else 'null' }} as raw_text,
        {{ band_of(indicator) }} as band,
        {{ counted_points(indicator) }} as points,
        {{ indicator.weight }} as weight,
        {{ effective_weight(one, indicator) }} as effective_weight,
        {{ contribution(one, indicator) }} as contribution,
        {{ indicator.column }}__points is null as is_missing,
        case when {{ indicator.column }}__points is null then '{{ indicator.missing_rule }}' end
            as missing_treatment
    from points
    where {{ one.name }}__score is not null
    {%- endfor %}{% endfor %}
)

select
    as_of_date,
    scheme,
    version,
    customer_id,
    indicator,
    indicator_group,
    metric,
    cast(raw_value as decimal(24, 6)) as raw_value,
    raw_text,
    band,
    cast(points as decimal(9, 4)) as points,
    cast(weight as decimal(7, 4)) as weight,
    effective_weight,
    contribution,
    is_missing,
    missing_treatment
from explained
