with expected as (
    select * from {{ source('analytics', 'lifetime_value') }}
),

metrics as (
    select as_of_date, customer_id, monetary_total, monetary_12m from {{ ref('customer_metrics') }}
),

joined as (
    select
        expected.as_of_date,
        expected.customer_id,
        expected.repeat_purchases,
        expected.days_to_last_purchase,
        expected.days_observed,
        cast(expected.probability_alive as decimal(9, 6)) as probability_alive,
        cast(expected.expected_purchases_12m as decimal(18, 6)) as expected_purchases_12m,
        cast(expected.expected_purchases_24m as decimal(18, 6)) as expected_purchases_24m,
        {{ money('expected.expected_amount') }} as expected_amount,
        {{ money('expected.expected_spend_12m') }} as expected_spend_12m,
        {{ money('expected.expected_spend_24m') }} as expected_spend_24m,
        expected.amount_method,
        {{ money('metrics.monetary_total') }} as monetary_total,
        {{ money('metrics.monetary_12m') }} as monetary_12m,
        '{{ var("reporting_currency") }}' as currency_code
    from expected
    left join metrics
        on expected.as_of_date = metrics.as_of_date
            and expected.customer_id = metrics.customer_id
)

select * from joined
