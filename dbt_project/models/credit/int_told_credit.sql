{{ config(schema='value') }}
-- What the credit tables that now stand were told from; written last, so that a build that broke
-- off before is told again. In the schema of the model that asks for it (told_before).
{% for model in [
    'arrears_warnings', 'collection_abc', 'credit_grades', 'credit_scores', 'grade_transitions',
    'int_expected_losses', 'payment_behaviour', 'reassessment_events', 'receivables_ageing',
    'winsorised_cycles',
] -%}
-- depends_on: {{ ref(model) }}
{% endfor -%}
select as_of_date, previous_as_of_date, previous_month_date, facts, fact_sum
from {{ ref('int_credit_fingerprints') }}
