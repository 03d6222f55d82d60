{{ config(materialized='view') }}
with exchange_rates as (
    select from_currency, valid_from, valid_to, rate
    from {{ ref('dim_exchange_rates') }}
    where to_currency = '{{ var("reporting_currency") }}'
)

select * from exchange_rates
