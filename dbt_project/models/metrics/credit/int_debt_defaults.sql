-- The first day a debt was open and more than `default_days` overdue, or the day of its write-off.
{%- set default_days = var('default_days') | int %}
with states as (
    select
        receivable_key,
        customer_id,
        due_date,
        valid_from,
        valid_to,
        written_off_amount,
        open_amount
    from {{ ref('int_receivable_states') }}
),

overdue as (
    select
        receivable_key,
        customer_id,
        min(greatest(valid_from, {{ add_days('due_date', default_days + 1) }})) as default_date
    from states
    where open_amount > 0
        and (valid_to is null or valid_to > {{ add_days('due_date', default_days + 1) }})
    group by receivable_key, customer_id
),

written_off as (
    select receivable_key, customer_id, min(valid_from) as default_date
    from states
    where written_off_amount > 0
    group by receivable_key, customer_id
),

defaults as (
    select receivable_key, customer_id, default_date, 'overdue' as default_kind from overdue
    union all
    select receivable_key, customer_id, default_date, 'written_off' as default_kind
    from written_off
),

ranked as (
    select
        *,
        row_number() over (
            partition by receivable_key
            order by default_date asc nulls last, default_kind asc nulls last
        ) as default_rank
    from defaults
)

select receivable_key, customer_id, default_date, default_kind
from ranked
where default_rank = 1
    and default_date <= {{ newest_as_of_date() }}
