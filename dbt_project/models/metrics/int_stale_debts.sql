{%- set told_states = told_before('int_receivable_states') -%}
with changed as (
    select bucket, first_month from {{ ref('int_changed_buckets') }}
),

changes as (
    select receivable_key, customer_id, change_date from {{ ref('int_receivable_changes') }}
),

told as (
    {%- if told_states is none %}
    select receivable_key, customer_id, change_date as valid_from from changes
    where 1 = 0
    {%- else %}
    select receivable_key, customer_id, valid_from from {{ told_states }}
    {%- endif %}
),

-- A debt is told again that moves now, or moved as it was told, in the first month in which
-- something changed for its customer or later.
stale as (
    select changes.receivable_key
    from changes
    inner join changed
        on {{ bucket_of('changes.customer_id') }} = changed.bucket
            and changes.change_date >= changed.first_month
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
