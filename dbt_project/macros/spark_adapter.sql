{#-
  What dbt's adapter for Spark does otherwise than the project needs. DuckDB never comes here.
-#}

{#- A contract says `varchar`, which Spark knows with a length only. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
        {%- for column in columns.values() %}
        cast(null as {{ spark_type(column['data_type']) }}) as {{ column['name'] }}
        {{- ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{% macro spark_type(type) -%}
    {{ return({'varchar': 'string', 'integer': 'int'}.get(type | lower, type)) }}
{%- endmacro %}

{#- Seeds: the adapter writes an empty cell as the text None and a decimal as a float. Here every
    cell is a text literal, cast to the type of its column; rows are few. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set statements = [] -%}
    {%- for rows in agate_table.rows | batch(500) -%}
        {%- set insert -%}
            insert into {{ this.render() }} values
            {%- for row in rows %}
            (
                {%- for name in agate_table.column_names -%}
                {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                cast({{ spark_literal(row[loop.index0]) }} as {{ spark_type(type) }})
                {{- ', ' if not loop.last }}
                {%- endfor -%}
            ){{ ',' if not loop.last }}
            {%- endfor %}
        {%- endset -%}
        {%- do adapter.add_query(insert, abridge_sql_log=True) -%}
        {%- do statements.append(insert) -%}
    {%- endfor -%}
    {{ return(statements[0] if statements else '') }}
{%- endmacro %}

{#- Engines behind Spark's SQL differ in how a text holds a quote or a backslash. -#}
{% macro spark_literal(cell) -%}
    {%- if cell is none -%}
        {{ return('null') }}
    {%- endif -%}
    {%- set quoted = cell | string | replace("'", "' || chr(39) || '") -%}
    {{ return("'" ~ quoted | replace('\\', "' || chr(92) || '") ~ "'") }}
{%- endmacro %}

{#- A contract's not-null columns. Not every engine behind Spark's SQL can alter a column, so the rows
    that were just written are looked at instead. -#}
{% macro spark__persist_constraints(relation, model) -%}
    {%- set filled = [] -%}
    {%- for column in model.columns.values() if config.get('contract').enforced -%}
        {%- for constraint in column.constraints if constraint.type == 'not_null' -%}
            {%- do filled.append(column.name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if filled | length > 0 -%}
        {%- set empty = run_query(
            'select count(*) from ' ~ relation ~ ' where ' ~ filled | join(' is null or ') ~ ' is null'
        ).rows[0][0] | int -%}
        {%- if empty > 0 -%}
            {{ exceptions.raise_compiler_error(
                relation ~ ' has ' ~ empty ~ ' row(s) with an empty value among: ' ~ filled | join(', ')
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Names and kinds of what a schema holds. The adapter asks `show table extended`, which looks into
    every table (a minute for a schema of views) and calls Iceberg's tables of a session catalogue
    by another name. Every table that dbt makes here has the one format of the project. -#}
{% macro spark__list_relations_without_caching(schema_relation) -%}
    {%- call statement('views', fetch_result=True) -%} show views in {{ schema_relation.schema }} {%- endcall -%}
    {#- Spark's columns are namespace, viewName, isTemporary; other engines begin with the name -#}
    {%- set found = load_result('views') -%}
    {%- set place = 1 if 'viewName' in found['table'].column_names else 0 -%}
    {%- set views = found['data'] | map(attribute=place) | list -%}
    {%- call statement('tables', fetch_result=True) -%} show tables in {{ schema_relation.schema }} {%- endcall -%}
    {%- set table = 'Type: MANAGED\nProvider: ' ~ env_var('KEHU_SPARK_TABLE_FORMAT', 'delta') -%}
    {%- set relations = [] -%}
    {%- for schema, name, is_temporary in load_result('tables')['data'] if not is_temporary -%}
        {%- do relations.append([schema, name, false, 'Type: VIEW' if name in views else table]) -%}
    {%- endfor -%}
    {{ return(relations) }}
{%- endmacro %}

{#- With Iceberg's catalogue a view that is replaced goes on reading what it read before, so it is
    dropped first. -#}
{% macro spark__create_view_as(relation, sql) -%}
    {%- call statement('drop_view', fetch_result=False) -%} drop view if exists {{ relation }} {%- endcall -%}
    create view {{ relation }}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif %}
    as {{ sql }}
{%- endmacro %}
