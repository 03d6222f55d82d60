{#- A law of each row. A row where the expression is null breaks it as well. -#}
{% test expression_is_true(model, expression, where_rows='true') %}

select *
from {{ model }}
where ({{ where_rows }}) and not coalesce({{ expression }}, false)

{% endtest %}
