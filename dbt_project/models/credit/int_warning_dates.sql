{{ config(schema='value') }}
with dates as (
    {{ dates_since_kept(
        ref('int_credit_fingerprints'), ref('int_credit_dates'), told_before('int_told_credit')
    ) }}
)

select * from dates
