{#- A sum over the rows of each group is a fixed value, such as weights that make 100. -#}
{% test rows_sum_to(model, column_name, total, group_by, tolerance=0) %}

select
    {{ group_by | join(', ') }},
    sum({{ column_name }}) as row_sum
from {{ model }}
group by {{ group_by | join(', ') }}
having sum({{ column_name }}) is null or abs(sum({{ column_name }}) - {{ total }}) > {{ tolerance }}

{% endtest %}
