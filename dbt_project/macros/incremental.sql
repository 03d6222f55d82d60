{#-
  What a build of metrics and scores keeps, and what it tells again. Customers lie in buckets (the
  last three signs of their id, 4096 of them); for each bucket and month of events a fingerprint of the
  facts is kept, so that a late correction costs the customers of one bucket and the dates after it.
-#}

{% macro bucket_of(customer_id) -%}
    right({{ customer_id }}, 3)
{%- endmacro %}

{#- A relation of the last build by its name, none where nothing of it may be kept. Not by ref():
    the models that ask stand before the one they ask about. -#}
{% macro told_before(name) -%}
    {%- if not execute or flags.FULL_REFRESH or not tables_forget_rows() -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(adapter.get_relation(database=this.database, schema=this.schema, identifier=name)) }}
{%- endmacro %}

{#- Before new rows are written: rows of the dates (and buckets) that are told again go, and those of
    dates that nobody asks for any more. -#}
{% macro forget_told_again(stale, with_buckets) -%}
    {%- if is_incremental() -%}
        merge into {{ this }} as told
        using {{ stale }} as stale
            on told.as_of_date = stale.as_of_date
            {%- if with_buckets %} and {{ bucket_of('told.customer_id') }} = stale.bucket{% endif %}
        when matched then delete
    {%- else -%}
        select 1
    {%- endif -%}
{%- endmacro %}

{% macro forget_unasked_dates() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where as_of_date not in (
            {%- for as_of_date in var('as_of_dates') -%}
                cast('{{ as_of_date }}' as date){{ ', ' if not loop.last }}
            {%- endfor -%}
        )
    {%- else -%}
        select 1
    {%- endif -%}
{%- endmacro %}

{#- One text for the code of the models of a folder: when it changes, all rows are told again. -#}
{% macro code_of(folder) -%}
    {%- set sums = [] -%}
    {%- if execute and graph.nodes is defined -%}
        {%- for node in graph.nodes.values()
                if node.resource_type == 'model' and node.fqn[1] == folder -%}
            {%- do sums.append(node.name ~ (node.checksum.checksum or '')) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(local_md5(sums | sort | join)) }}
{%- endmacro %}

{#- The columns of customer_metrics behind the name of a relation, as its YAML lists them. -#}
{% macro metric_columns(relation) -%}
    {%- set columns = [] -%}
    {%- if execute and graph.nodes is defined -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.customer_metrics'] -%}
        {%- for column in node.columns.values() -%}
            {%- do columns.append(relation ~ '.' ~ column.name) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns or [relation ~ '.customer_id']) }}
{%- endmacro %}
