{%- set told_days = told_before('int_purchase_days') -%}
{%- set told_cancellations = told_before('int_told_cancellations') -%}
with changed as (
    select bucket, first_month from {{ ref('int_changed_buckets') }}
),

purchases as (
    select customer_id, transaction_date as changed_date from {{ ref('int_purchases') }}
    union all
    select customer_id, cancelled_date from {{ ref('int_purchases') }}
    where cancelled_date is not null
),

-- What was told of purchases that are gone, or cancelled no longer.
told as (
    {%- if told_days is none or told_cancellations is none %}
    select customer_id, changed_date from purchases
    where 1 = 0
    {%- else %}
    select customer_id, purchase_date as changed_date from {{ told_days }}
    where as_of_date is null
    union all
    select customer_id, transaction_date from {{ told_cancellations }}
    union all
    select customer_id, cancelled_date from {{ told_cancellations }}
    {%- endif %}
),

known as (
    select * from purchases
    -- where nothing was told yet, nothing is told again
    where {{ '1 = 0' if told_days is none else '1 = 1' }}
    union all
    select * from told
)

select distinct known.customer_id
from known
inner join changed
    on {{ bucket_of('known.customer_id') }} = changed.bucket
        and known.changed_date >= changed.first_month
