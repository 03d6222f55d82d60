{{ config(
    pre_hook=[
        "{{ forget_told_again(ref('int_score_dates'), false) }}",
        "{{ forget_unasked_dates() }}",
    ],
) }}
{%- set plan = scheme_plan() -%}
{%- set asked = asked_places(plan) -%}
{%- set places = ref('int_scheme_places') -%}
-- columns and joins stand in loops that the linter does not run
-- noqa: disable=LT02,ST03
with metrics as (
    select metrics.*
    from {{ ref('customer_metrics') }} as metrics
    inner join {{ ref('int_score_dates') }} as dates
        on metrics.as_of_date = dates.as_of_date
),

placed as (
    select
        metrics.*
        {%- for place in asked %},
        {{ place.name }}.customers_below as {{ place.name }}_below,
        {{ place.name }}.customers_above as {{ place.name }}_above,
        {{ place.name }}.other_customers as {{ place.name }}_others,
        {{ place.name }}.sum_above as {{ place.name }}_sum_above,
        {{ place.name }}.sum_total as {{ place.name }}_sum,
        {{ place.name }}.lowest as {{ place.name }}_lowest,
        {{ place.name }}.highest as {{ place.name }}_highest
        {%- endfor %}
    from metrics
    {%- for place in asked %}
    left join {{ places }} as {{ place.name }}
        on {{ place.name }}.place_no = {{ place.number }}
            and metrics.as_of_date = {{ place.name }}.as_of_date
            and cast(metrics.{{ place.metric }} as decimal(24, 6)) = {{ place.name }}.metric_value
    {%- endfor %}
),

eligible as (
    select
        placed.*
        {%- for one in plan %},
        {{ one.population }} and {{ in_force(one) }} as {{ one.name }}__eligible
        {%- endfor %}
    from placed
),

banded as (
    select
        eligible.*
        {%- for one in plan %}{% for indicator in one.indicators if indicator.has_bands %},
        case when {{ one.name }}__eligible then cast({{ indicator_band(indicator) }} as bigint) end
            as {{ indicator.column }}__band
        {%- endfor %}{% endfor %}
    from eligible
),

pointed as (
    select
        banded.*
        {%- for one in plan %}{% for indicator in one.indicators %},
        case
            when {{ one.name }}__eligible
                then {{ rounded(
                        indicator_points(indicator, indicator.column ~ '__band'), 4, 9
                    ) }}
        end as {{ indicator.column }}__points
        {%- endfor %}{% endfor %}
    from banded
),

-- A customer of whom every indicator is missing has no score.
weighted as (
    select
        pointed.*
        {%- for one in plan %},
        case
            when {{ one.name }}__eligible
                then cast(nullif(
                    {%- for indicator in one.indicators %}
                    {{ counted_weight(indicator) }}{{ ' +' if not loop.last }}
                    {%- endfor %}, 0) as decimal(9, 4))
        end as {{ one.name }}__weight
        {%- endfor %}
    from pointed
),

scored as (
    select
        weighted.*
        {%- for one in plan %},
        cast(
            {%- for indicator in one.indicators %}
            {{ contribution(one, indicator) }}{{ ' +' if not loop.last }}
            {%- endfor %} as decimal(9, 4)
        ) as {{ one.name }}__score
        {%- endfor %}
    from weighted
),

-- First the schemes that stand alone, then those that read another one's class.
{%- for stage in ['alone', 'reading'] %}
{{ stage }} as (
    select
        {{ 'scored' if stage == 'alone' else 'alone' }}.*
        {%- for one in plan if scheme_stage(one) == stage %},
        {{ class_of(one, 'class_code', plan) }} as {{ one.name }}__class,
        cast({{ class_of(one, 'class_rank', plan) }} as integer) as {{ one.name }}__class_rank
        {%- endfor %}
    from {{ 'scored' if stage == 'alone' else 'alone' }}
){{ ',' if stage == 'alone' }}
{%- endfor %}

select
    as_of_date,
    customer_id
    {#- what a year brought is summed beside classes, whatever they are made of -#}
    {%- for metric in (['monetary_12m'] + plan | map(attribute='indicators') | sum(start=[])
            | map(attribute='metric') | list) | unique %},
    {{ metric }}
    {%- endfor %}
    {%- for one in plan %}{% for indicator in one.indicators %},
    {{ indicator.column ~ '__band,' if indicator.has_bands }}
    {{ indicator.column }}__points
    {%- endfor %},
    {{ one.name }}__weight,
    {{ one.name }}__score,
    {{ one.name }}__class,
    {{ one.name }}__class_rank
    {%- endfor %}
from reading
