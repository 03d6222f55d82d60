{{ config(schema='value') }}
with dates as (
    {{ dates_told_otherwise(
        ref('int_sample_fingerprints'),
        told_before('int_told_sample'),
        ['is_known', 'facts', 'fact_sum'],
    ) }}
)

select * from dates
