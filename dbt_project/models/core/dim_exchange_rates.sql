with exchange_rates as (

    select * from {{ ref('exchange_rates') }}

),

-- An amount already in the currency asked for is worth itself on every day.
own_rates as (

    select distinct to_currency as currency_code from exchange_rates
    union
    select '{{ var("reporting_currency") }}' as currency_code

),

combined as (

    select from_currency, to_currency, rate_date as valid_from, rate
    from exchange_rates
    where from_currency <> to_currency

    union all

    select
        own_rates.currency_code,
        own_rates.currency_code as to_currency,
        cast('1900-01-01' as date),
        1
    from own_rates

)

select
    from_currency,
    to_currency,
    valid_from,
    lead(valid_from) over (
        partition by from_currency, to_currency
        order by valid_from asc nulls last
    ) as valid_to,
    cast(rate as decimal(18, 6)) as rate
from combined
