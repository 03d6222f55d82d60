-- depends_on: {{ ref('customer_metrics') }}
{{- check_metric_names() }}
with metric_names as (
    select
        cast('' as {{ text_type() }}) as metric,
        cast('' as {{ text_type() }}) as value_kind
    {% for kind in ['number', 'text'] %}
    {% for metric in metric_names(kind) %}
    union all
    select
        '{{ metric }}' as metric,
        '{{ kind }}' as value_kind
    {% endfor %}
    {% endfor %}
)

select * from metric_names
where metric <> ''
