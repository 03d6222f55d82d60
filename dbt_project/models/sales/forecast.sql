with forecasts as (
    select * from {{ source('analytics', 'sales_forecast') }}
),

typed as (
    select
        as_of_date,
        series_kind,
        series,
        month,
        {{ money('forecast_amount') }} as forecast_amount,
        {{ money('lower_amount') }} as lower_amount,
        {{ money('upper_amount') }} as upper_amount,
        {{ rounded('band_share', 6, 9) }} as band_share,
        {{ money('naive_amount') }} as naive_amount,
        '{{ var("reporting_currency") }}' as currency_code
    from forecasts
)

select * from typed
