{{ config(schema='value') }}
-- The chances of default that the expected losses which now stand were told with; written after
-- them, so that a build that broke off before is told again.
-- depends_on: {{ ref('int_expected_losses') }}
select as_of_date, bucket, default_probability from {{ ref('int_default_probabilities') }}
