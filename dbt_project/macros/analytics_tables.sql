{#-
  The tables of the schema `analytics` as their sources promise them, empty, where no step of the
  statistics has written them yet: models and tests that read them need something to read.
-#}
{% macro create_missing_analytics_tables() -%}
    {%- if execute -%}
        {%- set promised = graph.sources.values() | selectattr('source_name', 'equalto', 'analytics') -%}
        {%- for table in promised | sort(attribute='name') -%}
            {%- set relation = api.Relation.create(
                database=table.database, schema=table.schema, identifier=table.identifier, type='table'
            ) -%}
            {%- if loop.first -%}
                {%- call statement('create_analytics', fetch_result=false, auto_begin=false) -%}
                    create schema if not exists {{ relation.include(identifier=false) }}
                {%- endcall -%}
            {%- endif -%}
            {%- call statement('create_analytics_table', fetch_result=false, auto_begin=false) -%}
                {{ create_empty_table(relation, table.columns.values()) }}
            {%- endcall -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- A statement that makes a table of these columns unless it exists. -#}
{% macro create_empty_table(relation, columns) -%}
    {{ return(adapter.dispatch('create_empty_table')(relation, columns)) }}
{%- endmacro %}

{% macro default__create_empty_table(relation, columns) -%}
    create table if not exists {{ relation }} (
        {%- for column in columns %}
        {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro spark__create_empty_table(relation, columns) -%}
    create table if not exists {{ relation }} (
        {%- for column in columns %}
        {{ column.name }} {{ spark_type(column.data_type) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ) using parquet
{%- endmacro %}
