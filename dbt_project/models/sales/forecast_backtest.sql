with tested as (
    select * from {{ source('analytics', 'sales_backtest') }}
),

typed as (
    select
        as_of_date,
        series_kind,
        series,
        months,
        {{ money('forecast_error') }} as forecast_error,
        {{ money('naive_error') }} as naive_error,
        is_published,
        '{{ var("reporting_currency") }}' as currency_code
    from tested
)

select * from typed
