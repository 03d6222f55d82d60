{#-
  What the classes of a customer call for, and why: read off one row of int_scheme_points, where all
  schemes stand side by side. `plan` is scheme_plan()'s.
-#}

{#- Actions for the classes of the plan, the most urgent first, each with its number. -#}
{% macro numbered_actions(plan) -%}
    {#- named before anything else, so that dbt knows while parsing what a caller reads -#}
    {%- set actions = ref('scheme_actions') -%}
    {%- if plan | length == 0 -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set key = ['priority', 'scheme', 'version', 'class_code', 'action_code'] -%}
    {%- set rows = seed_rows(actions, key + ['owner_role'], key) -%}
    {%- for row in rows -%}
        {%- do row.update({'action_no': loop.index}) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{#- All of them as rows: scheme, version, class_code, action_code, action_no. -#}
{% macro action_numbers(actions) -%}
    select
        cast('' as {{ text_type() }}) as scheme,
        0 as version,
        cast('' as {{ text_type() }}) as class_code,
        cast('' as {{ text_type() }}) as action_code,
        0 as action_no
    where 1 = 0
    {%- for action in actions %}
    union all
    select
        '{{ action.scheme }}', {{ action.version }}, '{{ action.class_code }}',
        '{{ action.action_code }}', {{ action.action_no }}
    {%- endfor %}
{%- endmacro %}

{#- Of one version: rank of a class to the number of the most urgent action of who acts. -#}
{% macro numbers_of(actions, one, role) -%}
    {%- set numbers = {} -%}
    {%- for class in one.classes -%}
        {%- for action in actions
                if action.owner_role == role and action.class_code == class.class_code
                and action.scheme == one.scheme and action.version == one.version
                and class.class_rank not in numbers -%}
            {%- do numbers.update({class.class_rank: action.action_no}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(numbers) }}
{%- endmacro %}

{#- The number of the most urgent action that any class of a row of int_scheme_points asks of who
    acts, null where none does. -#}
{% macro most_urgent(plan, actions, role) -%}
    {#- nulls count for nothing, and least() wants two -#}
    {%- set asked = ['cast(null as integer)', 'cast(null as integer)'] -%}
    {%- for one in plan -%}
        {%- set numbers = numbers_of(actions, one, role) -%}
        {%- if numbers -%}
            {%- set cases = [] -%}
            {%- for rank, number in numbers.items() -%}
                {%- do cases.append('when ' ~ rank ~ ' then ' ~ number) -%}
            {%- endfor -%}
            {%- do asked.append('case ' ~ one.name ~ '__class_rank ' ~ cases | join(' ') ~ ' end') -%}
        {%- endif -%}
    {%- endfor -%}
    least({{ asked | join(', ') }})
{%- endmacro %}

{#- What an indicator costs the score, -1 where it is missing or has all points. -#}
{% macro lost_by(one, indicator) -%}
    {%- set points = indicator.column ~ '__points' -%}
    case
        when {{ points }} < 100 then {{ effective_weight(one, indicator) }} * (100 - {{ points }})
        else -1
    end
{%- endmacro %}

{#- The place of column number `number` among `count` columns of a row, the largest first; of equal
    ones the first. -#}
{% macro rank_among(columns, number, count) -%}
    1
    {%- for other in range(1, count + 1) if other != number %}
    + case when {{ columns }}{{ other }} {{ '>=' if other < number else '>' }} {{ columns }}{{ number }} then 1 else 0 end
    {%- endfor %}
{%- endmacro %}
