-- joins stand in loops that the linter does not run
-- noqa: disable=LT02
{%- set told = [
    (told_before('int_receivable_movements'), 'movement_date'),
    (told_before('int_receivable_states'), 'valid_from'),
] | selectattr(0) | list %}
with changed as (
    select bucket, first_month from {{ ref('int_changed_buckets') }}
),

-- Debts are looked for among those of the changed customers: where nobody changed, there is nothing
-- to read.
receivables as (
    select receivables.receivable_key, receivables.issued_date, changed.first_month
    from {{ ref('fct_receivables') }} as receivables
    inner join changed
        on {{ bucket_of('receivables.customer_id') }} = changed.bucket
    -- where nothing was told yet, nothing is told again
    where {{ '1 = 1' if told else '1 = 0' }}
),

-- A debt is told again that moves now, or moved as it was told, in the first month in which
-- something changed for its customer or later.
stale as (
    select receivable_key from receivables
    where issued_date >= first_month
    union
    select receivables.receivable_key
    from receivables
    inner join {{ ref('fct_receipt_allocations') }} as allocations
        on receivables.receivable_key = allocations.receivable_key
    where allocations.settled_date >= receivables.first_month
        or allocations.reversed_date >= receivables.first_month
    union
    select receivables.receivable_key
    from receivables
    inner join {{ ref('fct_receivable_events') }} as events
        on receivables.receivable_key = events.receivable_key
    where events.event_date >= receivables.first_month
    {%- for relation, day in told %}
    union
    select told.receivable_key
    from {{ relation }} as told
    inner join changed
        on {{ bucket_of('told.customer_id') }} = changed.bucket
    where told.{{ day }} >= changed.first_month
    {%- endfor %}
)

select * from stale
