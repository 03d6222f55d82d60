-- Without a rate an amount cannot be told in the reporting currency: the build stops and names
-- the currency and the day.
{{ config(meta={'message_is_public': true}) }}
{% set facts = [
    ('fct_transactions', 'transaction_date'),
    ('fct_receivables', 'issued_date'),
    ('fct_receipts', 'paid_date'),
    ('fct_contacts', 'contact_date'),
    ('fct_activities', 'activity_date'),
    ('fct_contracts', 'signed_date'),
    ('fct_opportunities', 'opened_date'),
    ('fct_quotes', 'quoted_date'),
    ('fct_quoted_orders', 'ordered_date'),
    ('fct_quoted_orders', 'invoiced_date'),
] %}

with amounts as (

    {% for fact, day in facts %}
    select distinct currency_code, {{ day }} as amount_date, '{{ fact }}' as fact
    from {{ ref(fact) }}
    where currency_code is not null and {{ day }} is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

exchange_rates as (

    select * from {{ ref('dim_exchange_rates') }}
    where to_currency = '{{ var("reporting_currency") }}'

),

missing as (

    select amounts.currency_code, amounts.amount_date, amounts.fact
    from amounts
    left join exchange_rates
        on
            amounts.currency_code = exchange_rates.from_currency
            and amounts.amount_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or amounts.amount_date < exchange_rates.valid_to
            )
    where exchange_rates.rate is null

),

summary as (

    select
        currency_code,
        min(amount_date) as first_date,
        max(amount_date) as last_date,
        min(fact) as fact
    from missing
    group by currency_code

)

select * from summary
where {{ raise_error(
    "'No exchange rate from ' || currency_code || ' to " ~ var('reporting_currency') ~ " for '"
    ~ " || cast(first_date as " ~ text_type() ~ ") || ' (until ' || cast(last_date as "
    ~ text_type() ~ ") || ', ' || fact || '): add it to seeds/exchange_rates.csv'"
) }}
