with dates as (
    {{ dates_since_kept(
        ref('int_value_fingerprints'), ref('int_value_dates'), told_before('int_told_value')
    ) }}
)

select * from dates
