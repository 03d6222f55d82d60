{%- set told_states = told_before('int_receivable_states') -%}
with changed as (
    select bucket, first_month from {{ ref('int_changed_buckets') }}
),

movements as (
    select receivable_key, customer_id, movement_date from {{ ref('int_receivable_days') }}
),

told as (
    {%- if told_states is none %}
    select receivable_key, customer_id, movement_date as valid_from from movements
    where 1 = 0
    {%- else %}
    select receivable_key, customer_id, valid_from from {{ told_states }}
    {%- endif %}
),

-- A debt is told again that moves now, or moved as it was told, in the first month in which
-- something changed for its customers or later.
stale as (
    select movements.receivable_key
    from movements
    inner join changed
        on {{ bucket_of('movements.customer_id') }} = changed.bucket
            and movements.movement_date >= changed.first_month
    -- where nothing was told yet, nothing is told again
    where {{ '1 = 0' if told_states is none else '1 = 1' }}
    union
    select told.receivable_key
    from told
    inner join changed
        on {{ bucket_of('told.customer_id') }} = changed.bucket
            and told.valid_from >= changed.first_month
)

select * from stale
