{{ config(
    pre_hook="{{ forget_met(ref('int_stale_debts'), 'told.receivable_key = stale.receivable_key') }}",
) }}
{%- set until_then -%}
over (
            partition by receivable_key
            order by movement_date asc nulls last
            rows between unbounded preceding and current row
        )
{%- endset -%}
-- a join stands in a condition that the linter does not run
-- noqa: disable=LT02
with movements as (
    select movements.*
    from {{ ref('int_receivable_movements') }} as movements
    {%- if is_incremental() %}
    inner join {{ ref('int_stale_debts') }} as stale_debts
        on movements.receivable_key = stale_debts.receivable_key
    {%- endif %}
),

exchange_rates as (
    select * from {{ ref('int_exchange_rates') }}
),

running as (
    select
        receivable_key,
        customer_id,
        source_system,
        currency_code,
        issued_date,
        due_date,
        movement_date as valid_from,
        lead(movement_date) over (
            partition by receivable_key
            order by movement_date asc nulls last
        ) as valid_to,
        row_number() over (
            partition by receivable_key
            order by movement_date asc nulls last
        ) as state_no,
        due_change,
        paid_change,
        sum(due_change) {{ until_then }} as due_sum,
        sum(paid_change) {{ until_then }} as paid_amount,
        sum(written_off_change) {{ until_then }} as written_off_amount
    from movements
),

-- The state before is this one less its own changes: no second pass over all debts.
with_paid_flag as (
    select
        receivable_key,
        customer_id,
        source_system,
        currency_code,
        issued_date,
        due_date,
        valid_from,
        valid_to,
        greatest(due_sum, 0) as due_amount,
        paid_amount,
        written_off_amount,
        paid_amount >= greatest(due_sum, 0) as is_paid,
        state_no > 1 and paid_amount - paid_change >= greatest(due_sum - due_change, 0)
            as was_paid
    from running
),

-- A reversed payment opens the debt again: it is settled since the last day it became paid.
with_settled_date as (
    select
        with_paid_flag.*,
        max(case when is_paid and not was_paid then valid_from end) over (
            partition by receivable_key
            order by valid_from asc nulls last
            rows between unbounded preceding and current row
        ) as last_paid_from
    from with_paid_flag
),

states as (
    select
        with_settled_date.receivable_key,
        with_settled_date.customer_id,
        with_settled_date.source_system,
        with_settled_date.currency_code,
        with_settled_date.issued_date,
        with_settled_date.due_date,
        with_settled_date.valid_from,
        with_settled_date.valid_to,
        exchange_rates.rate as exchange_rate,
        cast(with_settled_date.due_amount as decimal(18, 2)) as due_amount,
        cast(with_settled_date.paid_amount as decimal(18, 2)) as paid_amount,
        cast(with_settled_date.written_off_amount as decimal(18, 2)) as written_off_amount,
        cast(
            greatest(
                with_settled_date.due_amount
                - with_settled_date.paid_amount
                - with_settled_date.written_off_amount,
                0
            ) as decimal(18, 2)
        ) as open_amount,
        case when with_settled_date.is_paid then with_settled_date.last_paid_from end
            as settled_date
    from with_settled_date
    left join exchange_rates
        on with_settled_date.currency_code = exchange_rates.from_currency
            and with_settled_date.issued_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or with_settled_date.issued_date < exchange_rates.valid_to
            )
)

select * from states
