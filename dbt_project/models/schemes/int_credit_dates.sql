with dates as (
    {{ dates_told_otherwise(
        ref('int_credit_fingerprints'),
        told_before('int_told_credit'),
        ['previous_as_of_date', 'previous_month_date', 'facts', 'fact_sum'],
    ) }}
)

select * from dates
