-- What the value tables that now stand were told from; written last, so that a build that broke off
-- before is told again.
{% for model in [
    'class_history', 'class_transitions', 'customer_cube', 'power_segments', 'value_pyramid', 'wallet_share',
] -%}
-- depends_on: {{ ref(model) }}
{% endfor -%}
select as_of_date, previous_as_of_date, previous_month_date, facts, fact_sum
from {{ ref('int_value_fingerprints') }}
