with amounts as (
    select * from {{ ref('int_expected_losses') }}
),

customers as (
    select customer_id, customer_type, region from {{ ref('dim_customers') }}
),

losses as (
    select customer_type, loss_given_default from {{ ref('loss_given_default') }}
)

select
    amounts.as_of_date,
    amounts.customer_id,
    customers.customer_type,
    customers.region,
    amounts.exposure_at_default,
    amounts.probability_of_default,
    losses.loss_given_default,
    {{ money('amounts.defaulting_amount * losses.loss_given_default') }} as expected_loss,
    '{{ var("reporting_currency") }}' as currency_code
from amounts
inner join customers
    on amounts.customer_id = customers.customer_id
inner join losses
    on customers.customer_type = losses.customer_type
