{#-
  How one indicator becomes points, and points a class. `default` spelling only: nothing here differs
  between engines. `place` names the columns of int_scheme_places joined for the indicator's metric.
-#}

{#- Number of the band of an indicator whose method has bands; higher is better. -#}
{% macro indicator_band(indicator) -%}
    {%- set value = indicator.metric -%}
    {%- if indicator.method == 'band' -%}
        {{ banded(value, indicator.bands, 'band') }}
    {%- elif indicator.method == 'lookup' -%}
        {{ looked_up(value, indicator.lookups, 'band') }}
    {%- else -%}
        {#- One division of whole numbers, so that a value on the border of two bands lands exactly. -#}
        case
            when {{ value }} is not null
                then least(
                        {{ indicator.band_count }},
                        1 + coalesce(
                            cast(
                                floor(
                                    cast({{ indicator.band_count }} * {{ place_of(indicator) }} as double)
                                    / nullif({{ indicator.place }}_others, 0)
                                ) as bigint
                            ),
                            0
                        )
                    )
        end
    {%- endif -%}
{%- endmacro %}

{#- The column of the band, empty where the method has none. -#}
{% macro band_of(indicator) -%}
    {{ indicator.column ~ '__band' if indicator.has_bands else 'cast(null as bigint)' }}
{%- endmacro %}

{#- Points from 0 to 100, null where there is no value. -#}
{% macro indicator_points(indicator, band) -%}
    {%- set value = indicator.metric -%}
    {%- if indicator.method == 'band' -%}
        {{ banded(value, indicator.bands, 'points') }}
    {%- elif indicator.method == 'lookup' -%}
        {{ looked_up(value, indicator.lookups, 'points') }}
    {%- elif indicator.method == 'quantile' -%}
        100 * cast({{ band }} - 1 as double) / {{ indicator.band_count | int - 1 }}
    {%- elif indicator.method == 'percentile' -%}
        case
            when {{ value }} is not null
                then coalesce(
                        100 * cast({{ place_of(indicator) }} as double)
                        / nullif({{ indicator.place }}_others, 0),
                        0
                    )
        end
    {%- elif indicator.method == 'cumulative_share' -%}
        {#- what is left of the total once everybody with more is counted: 100 for the first -#}
        case
            when {{ value }} is not null
                then coalesce(
                        100 - 100 * cast({{ indicator.place }}_sum_above as double)
                        / nullif(cast({{ indicator.place }}_sum as double), 0),
                        0
                    )
        end
    {%- else -%}
        {%- set lowest = indicator.lower_bound or indicator.place ~ '_lowest' -%}
        {%- set highest = indicator.upper_bound or indicator.place ~ '_highest' -%}
        {%- set inside = 'least(greatest(' ~ value ~ ', ' ~ lowest ~ '), ' ~ highest ~ ')' -%}
        {#- where all values are equal nobody is better: everyone gets half -#}
        case
            when {{ value }} is not null
                then coalesce(
                        100 * cast(
                            {{ highest ~ ' - ' ~ inside if indicator.direction == 'less_is_better'
                                else inside ~ ' - ' ~ lowest }} as double
                        ) / nullif(cast({{ highest }} - {{ lowest }} as double), 0),
                        50
                    )
        end
    {%- endif -%}
{%- endmacro %}

{#- How many customers of the population are worse. -#}
{% macro place_of(indicator) -%}
    {{ indicator.place }}_{{ 'above' if indicator.direction == 'less_is_better' else 'below' }}
{%- endmacro %}

{% macro banded(value, bands, cell) -%}
    case
        when {{ value }} is null then null
        {%- for band in bands %}
        {% if band.upper is none %}else{% else %}when {{ value }} < {{ band.upper }} then{% endif %} {{ band[cell] }}
        {%- endfor %}
    end
{%- endmacro %}

{% macro looked_up(value, lookups, cell) -%}
    case {{ value }}
        {%- for lookup in lookups %}
        when '{{ lookup.lookup_value | replace("'", "''") }}' then {{ lookup[cell] or 'null' }}
        {%- endfor %}
    end
{%- endmacro %}

{#- Points that count: a missing indicator's by its rule, null when its weight goes to the others. -#}
{% macro counted_points(indicator) -%}
    {%- set points = indicator.column ~ '__points' -%}
    {%- if indicator.missing_rule == 'reweight' -%}
        {{ points }}
    {%- else -%}
        coalesce({{ points }}, {{ 50 if indicator.missing_rule == 'neutral' else 0 }})
    {%- endif -%}
{%- endmacro %}

{#- Weight of an indicator as far as it counts for a customer. -#}
{% macro counted_weight(indicator) -%}
    {%- if indicator.missing_rule == 'reweight' -%}
        case when {{ indicator.column }}__points is null then 0 else {{ indicator.weight }} end
    {%- else -%}
        {{ indicator.weight }}
    {%- endif -%}
{%- endmacro %}

{#- Part of the score that comes from an indicator. -#}
{% macro contribution(one, indicator) -%}
    {%- set part -%}
        coalesce({{ counted_points(indicator) }}, 0) * {{ counted_weight(indicator) }}
        / cast({{ one.name }}__weight as double)
    {%- endset -%}
    {{ rounded(part, 8, 12) }}
{%- endmacro %}

{#- Weight after missing indicators were re-weighted. -#}
{% macro effective_weight(one, indicator) -%}
    {%- set part -%}
        100 * cast({{ counted_weight(indicator) }} as double) / cast({{ one.name }}__weight as double)
    {%- endset -%}
    {{ rounded(part, 8, 12) }}
{%- endmacro %}

{#- Points of a group of indicators on its own scale from 0 to 100. -#}
{% macro group_points(one, group) -%}
    {%- set members = one.indicators | selectattr('indicator_group', 'equalto', group) | list -%}
    {%- if members | length == 0 -%}
        cast(null as double)
    {%- else -%}
        {%- set gained, weights = [], [] -%}
        {%- for member in members -%}
            {%- do gained.append(contribution(one, member)) -%}
            {%- do weights.append(effective_weight(one, member)) -%}
        {%- endfor -%}
        {{ ratio('100 * (' ~ gained | join(' + ') ~ ')', weights | join(' + ')) }}
    {%- endif -%}
{%- endmacro %}

{#- The indicator that takes most from the score; of equal ones the first by name. -#}
{% macro weakest_indicator(one) -%}
    {%- set losses = [] -%}
    {%- for indicator in one.indicators -%}
        {%- do losses.append('coalesce((100 - ' ~ counted_points(indicator) ~ ') * '
            ~ indicator.weight ~ ', 0)') -%}
    {%- endfor -%}
    {%- set most = losses[0] if losses | length == 1 else 'greatest(' ~ losses | join(', ') ~ ')' -%}
    case
        when {{ most }} = 0 then null
        {%- for indicator in one.indicators %}
        when {{ losses[loop.index0] }} = {{ most }} then '{{ indicator.indicator }}'
        {%- endfor %}
    end
{%- endmacro %}

{#- What a condition of a decision table compares. -#}
{% macro rule_subject(one, rule, plan) -%}
    {%- set members = [] -%}
    {%- for indicator in one.indicators
            if rule.operand == indicator[
                'indicator_group' if rule.subject.startswith('group') else 'indicator'
            ] -%}
        {%- do members.append(indicator) -%}
    {%- endfor -%}
    {%- if rule.subject == 'indicator_band' -%}
        {{ band_of((members | selectattr('indicator', 'equalto', rule.operand) | list)[0]) }}
    {%- elif rule.subject == 'indicator_points' -%}
        {{ counted_points((members | selectattr('indicator', 'equalto', rule.operand) | list)[0]) }}
    {%- elif rule.subject == 'group_band' -%}
        {%- set mean -%}
            cast({% for member in members %}coalesce({{ band_of(member) }}, 0)
                {{- ' + ' if not loop.last }}{% endfor %} as double)
            / nullif(cast({% for member in members %}case when {{ band_of(member) }} is null then 0 else 1 end
                {{- ' + ' if not loop.last }}{% endfor %} as double), 0)
        {%- endset -%}
        {{ rounded(mean, 6, 24) }}
    {%- elif rule.subject == 'group_points' -%}
        {{ rounded(group_points(one, rule.operand), 6, 24) }}
    {%- elif rule.subject == 'score' -%}
        {{ one.name }}__score
    {%- elif rule.subject == 'metric' -%}
        {{ rule.operand }}
    {%- else -%}
        {%- set column = '__class_rank' if rule.subject == 'class_rank' else '__score' -%}
        {%- set found = plan | selectattr('scheme', 'equalto', rule.operand) | list -%}
        {#- of each day the version that holds; the others are empty on it -#}
        coalesce(null{% for other in found %}, {{ other.name }}{{ column }}{% endfor %})
    {%- endif -%}
{%- endmacro %}

{#- The class: of the first rule whose conditions all hold, or by the bounds of the score. -#}
{% macro class_of(one, cell, plan) -%}
    {%- set cells = {} -%}
    {%- for class in one.classes -%}
        {%- do cells.update({class.class_code:
            class.class_rank if cell == 'class_rank' else "'" ~ class.class_code ~ "'"}) -%}
    {%- endfor -%}
    case
        when {{ one.name }}__score is null then null
        {%- if one.rules | length > 0 -%}
        {%- set orders = one.rules | map(attribute='rule_order') | map('int') | unique | sort -%}
        {%- for order in orders %}
        when {% for rule in one.rules if rule.rule_order | int == order -%}
            {%- if not loop.first %} and {% endif -%}
            {%- if rule.subject == 'always' -%} 1 = 1
            {%- else -%} {{ rule_subject(one, rule, plan) }} {{ rule.operator }} {{ rule.threshold }}
            {%- endif -%}
        {%- endfor %} then {{ cells[(one.rules | selectattr('rule_order', 'equalto', order | string)
            | list)[0].class_code] }}
        {%- endfor -%}
        {%- else -%}
        {%- for class in one.classes | reverse %}
        {% if class.lower is none %}else{% else %}when {{ one.name }}__score >= {{ class.lower }} then{% endif %} {{ cells[class.class_code] }}
        {%- endfor -%}
        {%- endif %}
    end
{%- endmacro %}
