{{ config(
    schema='value',
    pre_hook=[
        "{{ forget_told_again(ref('int_loss_dates'), false) }}",
        "{{ forget_unasked_dates() }}",
    ],
) }}
with debts as (
    select debts.as_of_date, debts.customer_id, debts.bucket, debts.open_amount_reporting
    from {{ ref('int_debt_buckets') }} as debts
    inner join {{ ref('int_loss_dates') }} as dates
        on debts.as_of_date = dates.as_of_date
),

probabilities as (
    select as_of_date, bucket, default_probability from {{ ref('int_default_probabilities') }}
),

summed as (
    select
        debts.as_of_date,
        debts.customer_id,
        sum(debts.open_amount_reporting) as exposure,
        sum(debts.open_amount_reporting * probabilities.default_probability) as defaulting_amount
    from debts
    inner join probabilities
        on debts.as_of_date = probabilities.as_of_date
            and debts.bucket = probabilities.bucket
    group by debts.as_of_date, debts.customer_id
)

select
    as_of_date,
    customer_id,
    {{ money('exposure') }} as exposure_at_default,
    {{ rounded(ratio('defaulting_amount', 'exposure'), 6, 9) }} as probability_of_default,
    cast(defaulting_amount as decimal(28, 8)) as defaulting_amount
from summed
