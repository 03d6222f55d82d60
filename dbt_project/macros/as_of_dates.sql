{#-
  The days for which metrics, scores and classes are told, as texts: those that a run names in the
  environment, blanks between them, else the variable. Not as --vars, because dbt parses the whole
  project anew when those are not the last run's, and the newest day is another one every day.
-#}
{% macro as_of_dates() -%}
    {{ return(env_var('KEHU_DBT_AS_OF_DATES', '').split() or var('as_of_dates')) }}
{%- endmacro %}
