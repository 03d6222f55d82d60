{#-
  What the seeds of the schemes say, as a list that the models of the engine write their SQL from: one
  statement over all customers for all schemes, instead of one row per customer and indicator that is
  joined, ranked and summed again and again. Only versions in force on an as-of date are in it.
-#}

{#- Rows of a seed as dictionaries; every cell a text or none. -#}
{% macro seed_rows(relation, columns, order) -%}
    {%- set cells = [] -%}
    {%- for column in columns -%}
        {%- do cells.append('cast(seed.' ~ column ~ ' as ' ~ text_type() ~ ') as ' ~ column) -%}
    {%- endfor -%}
    {%- set keys = [] -%}
    {%- for column in order -%}
        {%- do keys.append('seed.' ~ column ~ ' asc nulls first') -%}
    {%- endfor -%}
    {%- set found = run_query(
        'select ' ~ cells | join(', ') ~ ' from ' ~ relation ~ ' as seed order by '
        ~ keys | join(', ')
    ) -%}
    {%- set rows = [] -%}
    {%- for row in found.rows -%}
        {%- set cells = {} -%}
        {%- for column in columns -%}
            {%- do cells.update({column: row[loop.index0]}) -%}
        {%- endfor -%}
        {%- do rows.append(cells) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{#- Of the rows those of one version, and of one indicator when it is named. -#}
{% macro of_version(rows, scheme, version, indicator=none) -%}
    {%- set found = [] -%}
    {%- for row in rows
            if row.scheme == scheme and row.version == version
            and (indicator is none or row.indicator == indicator) -%}
        {%- do found.append(row) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- Versions of schemes in force on the as-of dates, those that read another scheme's class last. -#}
{% macro scheme_plan() -%}
    {%- set dates = as_of_dates() | sort -%}
    {#- named before anything else, so that dbt knows while parsing what a caller reads -#}
    {%- set versions = ref('int_scheme_versions') -%}
    {%- set seeds = {} -%}
    {%- for seed in ['indicators', 'bands', 'lookups', 'classes', 'rules'] -%}
        {%- do seeds.update({seed: ref('scheme_' ~ seed)}) -%}
    {%- endfor -%}
    {%- if not execute or load_relation(versions) is none -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set key = ['scheme', 'version'] -%}
    {%- set indicators = seed_rows(seeds.indicators, key + [
        'indicator', 'indicator_group', 'metric', 'direction', 'weight', 'method', 'band_count',
        'lower_bound', 'upper_bound', 'missing_rule',
    ], key + ['indicator']) -%}
    {%- set bands = seed_rows(seeds.bands, key + [
        'indicator', 'lower', 'upper', 'band', 'points',
    ], key + ['indicator', 'lower']) -%}
    {%- set lookups = seed_rows(seeds.lookups, key + [
        'indicator', 'lookup_value', 'band', 'points',
    ], key + ['indicator', 'lookup_value']) -%}
    {%- set classes = seed_rows(seeds.classes, key + [
        'class_code', 'lower', 'class_rank',
    ], key + ['lower', 'class_rank']) -%}
    {%- set rules = seed_rows(seeds.rules, key + [
        'rule_order', 'condition_no', 'class_code', 'subject', 'operand', 'operator', 'threshold',
    ], key + ['rule_order', 'condition_no']) -%}
    {%- set plan, later = [], [] -%}
    {%- for one in seed_rows(versions, key + [
        'valid_from', 'valid_to', 'missing_rule', 'eligible_metric',
    ], key) if one.valid_from <= dates[-1] and (one.valid_to is none or one.valid_to > dates[0]) -%}
        {%- do one.update({
            'name': one.scheme ~ '_' ~ one.version,
            'population': scheme_population(one),
            'indicators': of_version(indicators, one.scheme, one.version),
            'classes': of_version(classes, one.scheme, one.version),
            'rules': of_version(rules, one.scheme, one.version),
        }) -%}
        {%- for indicator in one.indicators -%}
            {%- do indicator.update({
                'column': one.name ~ '__' ~ indicator.indicator,
                'has_bands': indicator.method in ['band', 'lookup', 'quantile'],
                'missing_rule': indicator.missing_rule or one.missing_rule,
                'kind': 'text' if indicator.metric in metric_names('text') else 'number',
                'bands': of_version(bands, one.scheme, one.version, indicator.indicator),
                'lookups': of_version(lookups, one.scheme, one.version, indicator.indicator),
            }) -%}
        {%- endfor -%}
        {%- do (later if scheme_stage(one) == 'reading' else plan).append(one) -%}
    {%- endfor -%}
    {{ return(plan + later) }}
{%- endmacro %}

{#- The condition that a row of customer_metrics is scored by a scheme, whatever its date. -#}
{% macro scheme_population(one) -%}
    {%- if one.eligible_metric is none -%}
        {{ return('1 = 1') }}
    {%- elif ' ' in one.eligible_metric -%}
        {{ return(one.eligible_metric) }}
    {%- else -%}
        {{ return(one.eligible_metric ~ ' is not null') }}
    {%- endif -%}
{%- endmacro %}

{#- What a scheme says of a customer, as an expression over a row of int_scheme_points; of each day
    that of the version that holds, the others are empty on it. `part` is score, class, class_rank,
    class_no (the number of its name) or version; value, band or points of an indicator; or group, the
    points of a group of indicators. -#}
{% macro said_by(plan, scheme, part, of=none) -%}
    {%- set cases = [] -%}
    {%- for one in plan if one.scheme == scheme -%}
        {%- set found = {
            'score': one.name ~ '__score',
            'class': one.name ~ '__class',
            'class_rank': one.name ~ '__class_rank',
            'class_no': class_no(plan, one),
            'version': one.version,
        } -%}
        {%- for indicator in one.indicators if indicator.indicator == of -%}
            {%- do found.update({
                'value': indicator.metric,
                'band': band_of(indicator),
                'points': counted_points(indicator),
            }) -%}
        {%- endfor -%}
        {%- if part == 'group' -%}
            {%- do found.update({'group': group_points(one, of)}) -%}
        {%- endif -%}
        {%- if found[part] -%}
            {%- do cases.append(
                'when ' ~ one.name ~ '__score is not null then ' ~ found[part]
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ 'case ' ~ cases | join(' ') ~ ' end' if cases else 'null' }}
{%- endmacro %}

{#- Names of a scheme's classes, those of the first version first, by rank. A class is the number of
    its name here where all customers of all days meet: names take four times the memory there. -#}
{% macro class_names(plan, scheme) -%}
    {%- set names = [] -%}
    {%- for one in plan if one.scheme == scheme -%}
        {%- for class in one.classes | sort(attribute='class_rank')
                if class.class_code not in names -%}
            {%- do names.append(class.class_code) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- The number of the class of one version; mostly the rank itself. -#}
{% macro class_no(plan, one) -%}
    {%- set names, cases = class_names(plan, one.scheme), [] -%}
    {%- for class in one.classes if names.index(class.class_code) + 1 != class.class_rank -%}
        {%- do cases.append(
            'when ' ~ class.class_rank ~ ' then ' ~ (names.index(class.class_code) + 1)
        ) -%}
    {%- endfor -%}
    {%- set rank = one.name ~ '__class_rank' -%}
    {%- set no = 'case ' ~ rank ~ ' ' ~ cases | join(' ') ~ ' else ' ~ rank ~ ' end' if cases else rank -%}
    {{ return('cast(' ~ no ~ ' as smallint)') }}
{%- endmacro %}

{#- All of them as rows: scheme, class_no, class_code. -#}
{% macro numbered_classes(plan) -%}
    select
        cast('' as {{ text_type() }}) as scheme,
        cast(0 as smallint) as class_no,
        cast('' as {{ text_type() }}) as class_code
    where 1 = 0
    {%- for scheme in plan | map(attribute='scheme') | unique %}
    {%- for name in class_names(plan, scheme) %}
    union all
    select '{{ scheme }}', {{ loop.index }}, '{{ name }}'
    {%- endfor %}{% endfor %}
{%- endmacro %}

{#- The days on which a version holds, as a condition. -#}
{% macro in_force(one) -%}
    as_of_date >= cast('{{ one.valid_from }}' as date)
    {%- if one.valid_to is not none %} and as_of_date < cast('{{ one.valid_to }}' as date){% endif %}
{%- endmacro %}

{#- Populations and metrics of which the places of values are asked, each once. -#}
{% macro asked_places(plan) -%}
    {%- set asked, seen = [], [] -%}
    {%- for one in plan -%}
        {%- for indicator in one.indicators
                if indicator.method in ['quantile', 'percentile', 'cumulative_share']
                or indicator.method == 'min_max'
                and (indicator.lower_bound is none or indicator.upper_bound is none) -%}
            {%- set place = one.population ~ '|' ~ indicator.metric -%}
            {%- if place not in seen -%}
                {%- do seen.append(place) -%}
                {%- do asked.append({
                    'population': one.population,
                    'metric': indicator.metric,
                    'name': 'place_' ~ (seen | length),
                    'number': seen | length,
                    'has_sums': false,
                }) -%}
            {%- endif -%}
            {%- set number = seen.index(place) -%}
            {%- do indicator.update({'place': asked[number].name}) -%}
            {%- if indicator.method == 'cumulative_share' -%}
                {%- do asked[number].update({'has_sums': true}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(asked) }}
{%- endmacro %}

{#- Whether a version can be classed at once, or only when other schemes have their classes. -#}
{% macro scheme_stage(one) -%}
    {{ return('reading' if one.rules | selectattr('subject', 'in', ['class_rank', 'scheme_score'])
        | list | length > 0 else 'alone') }}
{%- endmacro %}
