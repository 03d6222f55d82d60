with customer_dates as (
    select as_of_date, customer_id from {{ ref('int_customer_dates') }}
),

purchases as (
    select * from {{ ref('int_metrics_purchases') }}
),

history as (
    select as_of_date, customer_id from {{ ref('int_metrics_history') }}
),

payment as (
    select as_of_date, customer_id, open_amount, overdue_days_max
    from {{ ref('int_metrics_payment') }}
),

relation as (
    select as_of_date, customer_id, service_cost_12m from {{ ref('int_metrics_relation') }}
),

risk_rates as (
    select
        lower_days,
        upper_days,
        cast(default_probability * loss_given_default as decimal(18, 6)) as risk_rate
    from {{ ref('risk_rates') }}
),

-- What one unit gained in every year of the relation is worth now.
worth as (
    -- wider than 18 digits, so that the product is, too
    select cast(sum(discount_factor) as decimal(20, 8)) as factor_sum
    from {{ ref('int_relationship_periods') }}
),

-- Gains are unknown where costs are, and nothing where nothing was bought.
yearly as (
    select
        customer_dates.as_of_date,
        customer_dates.customer_id,
        case
            when history.customer_id is not null and coalesce(purchases.monetary_12m, 0) = 0 then 0
            else purchases.margin_12m
        end as margin_12m,
        coalesce(relation.service_cost_12m, 0) as marketing_cost_12m,
        risk_rates.risk_rate,
        cast(coalesce(payment.open_amount, 0) * coalesce(risk_rates.risk_rate, 0) as decimal(18, 4))
            as risk_cost_12m
    from customer_dates
    left join history
        on customer_dates.as_of_date = history.as_of_date
            and customer_dates.customer_id = history.customer_id
    left join purchases
        on customer_dates.as_of_date = purchases.as_of_date
            and customer_dates.customer_id = purchases.customer_id
    left join payment
        on customer_dates.as_of_date = payment.as_of_date
            and customer_dates.customer_id = payment.customer_id
    left join relation
        on customer_dates.as_of_date = relation.as_of_date
            and customer_dates.customer_id = relation.customer_id
    left join risk_rates
        on payment.open_amount > 0
            and coalesce(payment.overdue_days_max, 0) >= coalesce(risk_rates.lower_days, 0)
            and (
                risk_rates.upper_days is null
                or coalesce(payment.overdue_days_max, 0) <= risk_rates.upper_days
            )
),

with_gain as (
    select
        yearly.*,
        cast(margin_12m - marketing_cost_12m - risk_cost_12m as decimal(18, 4)) as net_gain_12m
    from yearly
),

metrics as (
    select
        with_gain.as_of_date,
        with_gain.customer_id,
        with_gain.risk_rate,
        with_gain.risk_cost_12m,
        with_gain.net_gain_12m,
        cast(with_gain.net_gain_12m * worth.factor_sum as decimal(18, 4)) as relationship_value
    from with_gain
    cross join worth
    where with_gain.risk_rate is not null or with_gain.net_gain_12m is not null
)

select * from metrics
