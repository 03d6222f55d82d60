-- depends_on: {{ ref('customer_metrics') }}
{{- check_metric_names() }}
with metric_names as (
    {%- for kind in ['number', 'text'] %}
    {%- set kind_loop = loop %}
    {%- for metric in metric_names(kind) %}
    {{ 'union all' if not (kind_loop.first and loop.first) }}
    select '{{ metric }}' as metric, '{{ kind }}' as value_kind
    {%- endfor %}
    {%- endfor %}
)

select * from metric_names
