{#- Stops the build when seeds of schemes break a law; the message names each row. -#}
{% macro stop_on_scheme_faults(faults) -%}
    {%- if execute -%}
        {%- set rows = run_query(
            'select fault from ' ~ faults ~ ' order by fault asc nulls last'
        ).rows -%}
        {%- if rows | length > 0 -%}
            {%- set lines = [] -%}
            {%- for row in rows -%}
                {%- do lines.append('  ' ~ row[0]) -%}
            {%- endfor -%}
            {{ exceptions.raise_compiler_error(
                rows | length ~ " row(s) of seeds/schemes break a law of the scheme engine:\n"
                ~ lines | join('\n')
                ~ "\nCorrect the rows named and build again; nothing was scored."
            ) }}
        {%- endif -%}
    {%- endif -%}
    select 1
{%- endmacro %}
