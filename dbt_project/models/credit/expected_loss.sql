with debts as (
    select as_of_date, customer_id, bucket, sum(open_amount_reporting) as exposure
    from {{ ref('int_debt_buckets') }}
    group by as_of_date, customer_id, bucket
),

probabilities as (
    select as_of_date, bucket, default_probability from {{ ref('int_default_probabilities') }}
),

customers as (
    select customer_id, customer_type, region from {{ ref('dim_customers') }}
),

losses as (
    select customer_type, loss_given_default from {{ ref('loss_given_default') }}
),

summed as (
    select
        debts.as_of_date,
        debts.customer_id,
        sum(debts.exposure) as exposure,
        sum(debts.exposure * probabilities.default_probability) as defaulting_amount
    from debts
    inner join probabilities
        on debts.as_of_date = probabilities.as_of_date
            and debts.bucket = probabilities.bucket
    group by debts.as_of_date, debts.customer_id
)

select
    summed.as_of_date,
    summed.customer_id,
    customers.customer_type,
    customers.region,
    {{ money('summed.exposure') }} as exposure_at_default,
    {{ rounded(ratio('summed.defaulting_amount', 'summed.exposure'), 6, 9) }}
        as probability_of_default,
    losses.loss_given_default,
    {{ money('summed.defaulting_amount * losses.loss_given_default') }} as expected_loss,
    '{{ var("reporting_currency") }}' as currency_code
from summed
inner join customers
    on summed.customer_id = customers.customer_id
inner join losses
    on customers.customer_type = losses.customer_type
