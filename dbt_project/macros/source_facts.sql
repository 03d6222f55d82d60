{#-
  The IANA time zone a source table's local times are in. It stands in the table's contract and
  reaches dbt through the generated source YAML, so that no model repeats it.
-#}
{% macro source_zone(system, table) -%}
    {%- if not execute -%}
        {{ return('UTC') }}
    {%- endif -%}
    {%- set node = graph.sources['source.' ~ project_name ~ '.' ~ system ~ '.' ~ table] -%}
    {%- set zone = node.config.get('meta', {}).get('timezone') or node.meta.get('timezone') -%}
    {%- if not zone -%}
        {{ exceptions.raise_compiler_error(
            "The source " ~ system ~ "." ~ table ~ " names no time zone. Write `timezone` into its"
            ~ " contract and run `python -m warehouse sources --write`."
        ) }}
    {%- endif -%}
    {{ return(zone) }}
{%- endmacro %}

{#- The newest version of each row that still exists at the source. -#}
{% macro current_rows() -%}
    _is_current and not _is_deleted
{%- endmacro %}
