{{ config(materialized='view') }}
with transactions as (
    select
        transaction_key,
        customer_id,
        source_system,
        document_no,
        transaction_date,
        cancelled_date,
        product_class,
        list_amount,
        gross_amount,
        margin_amount,
        currency_code
    from {{ ref('fct_transactions') }}
    where transaction_kind in ('sale', 'cancellation')
        -- a cancellation that names no earlier purchase takes nothing back here
        and (transaction_kind = 'sale' or cancelled_date > transaction_date)
        and gross_amount > 0
        -- a flat charge has neither a quantity nor a unit price; a given one must be positive
        and coalesce(quantity, 1) > 0
        and coalesce(unit_price, 1) > 0
        and customer_id is not null
),

exchange_rates as (
    select * from {{ ref('int_exchange_rates') }}
),

in_reporting_currency as (
    select
        transactions.transaction_key,
        transactions.customer_id,
        transactions.source_system,
        transactions.document_no,
        transactions.transaction_date,
        transactions.cancelled_date,
        transactions.product_class,
        exchange_rates.rate as exchange_rate,
        cast(transactions.gross_amount * exchange_rates.rate as decimal(18, 4)) as gross_amount,
        cast(transactions.margin_amount * exchange_rates.rate as decimal(18, 4)) as margin_amount,
        case
            when transactions.list_amount > 0
                then {{ rounded(
                        '1 - ' ~ ratio('transactions.gross_amount', 'transactions.list_amount'), 6
                    ) }}
        end as discount_rate
    from transactions
    left join exchange_rates
        on transactions.currency_code = exchange_rates.from_currency
            and transactions.transaction_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or transactions.transaction_date < exchange_rates.valid_to
            )
)

select * from in_reporting_currency
