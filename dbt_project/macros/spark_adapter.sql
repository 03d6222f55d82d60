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
