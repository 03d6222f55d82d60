{#-
  How an incremental model brings rows in, for `config(incremental_strategy=upsert_strategy())`.
  Rows replace those with the same `unique_key`. Plain Parquet on Spark knows no update: there whole
  partitions are replaced, so the model names its partitions in `partition_by` and selects each
  partition that it touches whole. A model that does so is right on every engine.
-#}
{% macro upsert_strategy() -%}
    {{ return(adapter.dispatch('upsert_strategy')()) }}
{%- endmacro %}

{% macro default__upsert_strategy() -%}
    {{ return('delete+insert') }}
{%- endmacro %}

{% macro spark__upsert_strategy() -%}
    {%- set format = env_var('KEHU_SPARK_TABLE_FORMAT', 'delta') -%}
    {{ return('insert_overwrite' if format == 'parquet' else 'merge') }}
{%- endmacro %}
