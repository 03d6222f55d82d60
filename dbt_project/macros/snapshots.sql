{#-
  A snapshot is stamped with as-of dates, never with the clock: a day that is built twice, or on
  another engine, leaves the same rows.
-#}

{#- The newest day that is asked for, as a date. -#}
{% macro newest_as_of_date() -%}
    cast('{{ as_of_dates() | max }}' as date)
{%- endmacro %}

{#- dbt closes rows that are gone from the source as of this moment. -#}
{% macro snapshot_get_time() -%}
    {{ newest_as_of_date() }}
{%- endmacro %}

{#- Before a day is written it is taken back, together with what a later one wrote: rows that began
    then go, rows that ended then are current again. -#}
{% macro forget_rows_of_newest_day() -%}
    {%- if execute and load_relation(this) is not none -%}
        delete from {{ this }} where valid_from >= {{ newest_as_of_date() }}
    {%- endif -%}
{%- endmacro %}

{% macro reopen_rows_of_newest_day() -%}
    {%- if execute and load_relation(this) is not none -%}
        update {{ this }} set valid_to = null where valid_to >= {{ newest_as_of_date() }}
    {%- endif -%}
{%- endmacro %}
