-- depends_on: {{ ref('customer_metrics') }}
with metric_names as (
    select cast('' as {{ text_type() }}) as metric, cast('' as {{ text_type() }}) as value_kind
    {%- for metric, kind in metric_columns() %}
    union all
    select '{{ metric }}', '{{ kind }}'
    {%- endfor %}
)

select * from metric_names
where metric <> ''
