with sold as (
    select as_of_date, series_kind, series, month, amount from {{ ref('int_monthly_sales') }}
),

with_currency as (
    select
        as_of_date,
        series_kind,
        series,
        month,
        amount,
        '{{ var("reporting_currency") }}' as currency_code
    from sold
)

select * from with_currency
