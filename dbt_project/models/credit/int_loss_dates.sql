{{ config(schema='value') }}
-- Chances of default hang on all months known by the day, so on the other days that are asked for
-- as well.
with chances as (
    {{ dates_told_otherwise(
        ref('int_default_probabilities'),
        told_before('int_told_probabilities'),
        ['bucket', 'default_probability'],
    ) }}
)

select as_of_date from {{ ref('int_credit_dates') }}
union
select as_of_date from chances
