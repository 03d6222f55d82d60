{#-
  Metrics by name. The columns of value.customer_metrics and their types stand in its YAML; from
  there come the list of metrics a scheme may name and the expressions that read one by its name.
-#}

{#- [[name, 'number' or 'text'], ...] of all metrics, in the order of the YAML. -#}
{% macro metric_columns() -%}
    {%- set metrics = [] -%}
    {%- if execute -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.customer_metrics'] -%}
        {%- for column in node.columns.values() -%}
            {%- if column.name not in ['customer_id', 'currency_code']
                    and column.data_type != 'date' -%}
                {%- set kind = 'text' if column.data_type == 'string' else 'number' -%}
                {%- do metrics.append([column.name, kind]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(metrics) }}
{%- endmacro %}

{#- The value of the metric that `name` (an expression) names in the row `relation`: the numbers as
    decimal(24, 6), or the texts; NULL when the metric is of the other kind. -#}
{% macro metric_value(relation, name, kind='number') -%}
    {%- set type = 'decimal(24, 6)' if kind == 'number' else text_type() -%}
    case {{ name }}
        when '' then cast(null as {{ type }})
        {%- for metric, metric_kind in metric_columns() if metric_kind == kind %}
        when '{{ metric }}' then cast({{ relation }}.{{ metric }} as {{ type }})
        {%- endfor %}
    end
{%- endmacro %}
