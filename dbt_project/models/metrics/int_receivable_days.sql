{{ config(materialized='view') }}
with movements as (
    select * from {{ ref('int_receivable_movements') }}
),

receivables as (
    select
        receivable_key, customer_id, source_system, currency_code, issued_date, due_date
    from {{ ref('fct_receivables') }}
),

exchange_rates as (
    select * from {{ ref('int_exchange_rates') }}
),

joined as (
    select
        movements.receivable_key,
        receivables.customer_id,
        receivables.source_system,
        receivables.due_date,
        receivables.currency_code,
        exchange_rates.rate as exchange_rate,
        movements.movement_date,
        movements.issued_change,
        movements.due_change,
        movements.paid_change,
        movements.written_off_change
    from movements
    inner join receivables
        on movements.receivable_key = receivables.receivable_key
    left join exchange_rates
        on receivables.currency_code = exchange_rates.from_currency
            and receivables.issued_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or receivables.issued_date < exchange_rates.valid_to
            )
)

select * from joined
