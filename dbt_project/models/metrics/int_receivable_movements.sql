{{ config(
    pre_hook="{{ forget_met(ref('int_stale_debts'), 'told.receivable_key = stale.receivable_key') }}",
) }}
-- a join stands in a condition that the linter does not run
-- noqa: disable=LT02
with changes as (
    select changes.*
    from {{ ref('int_receivable_changes') }} as changes
    {%- if is_incremental() %}
    inner join {{ ref('int_stale_debts') }} as stale_debts
        on changes.receivable_key = stale_debts.receivable_key
    {%- endif %}
),

by_day as (
    select
        receivable_key,
        customer_id,
        source_system,
        currency_code,
        issued_date,
        due_date,
        change_date as movement_date,
        {{ money('sum(issued_change)') }} as issued_change,
        {{ money('sum(due_change)') }} as due_change,
        {{ money('sum(paid_change)') }} as paid_change,
        {{ money('sum(written_off_change)') }} as written_off_change
    from changes
    group by
        receivable_key,
        customer_id,
        source_system,
        currency_code,
        issued_date,
        due_date,
        change_date
)

select * from by_day
