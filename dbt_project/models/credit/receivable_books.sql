-- What moved the debts of a customer in a month. Changes of what is due that are not the debt
-- itself are adjustments; money beyond what is due leaves a negative balance, so nothing is cut
-- off.
with receivables as (
    select receivable_key, customer_id, source_system, currency_code, issued_date, amount
    from {{ ref('fct_receivables') }}
    where customer_id is not null
),

movements as (
    select * from {{ ref('int_receivable_movements') }}
),

changes as (
    select
        receivables.customer_id,
        receivables.source_system,
        receivables.currency_code,
        {{ month_start('movements.movement_date') }} as month,
        case
            when movements.movement_date = receivables.issued_date then receivables.amount
            else 0
        end as issued_change,
        movements.due_change,
        movements.paid_change,
        movements.written_off_change
    from movements
    inner join receivables
        on movements.receivable_key = receivables.receivable_key
),

by_month as (
    select
        customer_id,
        source_system,
        currency_code,
        month,
        sum(issued_change) as issued_amount,
        sum(due_change) - sum(issued_change) as adjusted_amount,
        sum(paid_change) as settled_amount,
        sum(written_off_change) as written_off_amount
    from changes
    group by customer_id, source_system, currency_code, month
),

balanced as (
    select
        *,
        sum(issued_amount + adjusted_amount - settled_amount - written_off_amount) over (
            partition by customer_id, source_system, currency_code
            order by month asc nulls last
            rows between unbounded preceding and current row
        ) as closing_amount
    from by_month
),

typed as (
    select
        month,
        customer_id,
        source_system,
        {{ money(
            'closing_amount - (issued_amount + adjusted_amount'
            ' - settled_amount - written_off_amount)'
        ) }} as opening_amount,
        {{ money('issued_amount') }} as issued_amount,
        {{ money('adjusted_amount') }} as adjusted_amount,
        {{ money('settled_amount') }} as settled_amount,
        {{ money('written_off_amount') }} as written_off_amount,
        {{ money('closing_amount') }} as closing_amount,
        currency_code
    from balanced
)

select * from typed
