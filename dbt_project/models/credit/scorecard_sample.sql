{%- set features = [
    'recency_days', 'frequency_12m', 'monetary_12m', 'tenure_days', 'growth_12m', 'billed_12m',
    'collection_rate', 'on_time_share', 'days_late_mean', 'days_late_max', 'open_amount',
    'overdue_amount', 'overdue_count', 'collection_count', 'bounced_count', 'arrears_months_12m',
    'written_off_count', 'utilisation_of_guarantee', 'complaints_12m', 'contract_breaches_24m',
    'violations_24m', 'usage_category', 'last_system',
] -%}
-- Debtors as they were known on a day whose following months are known by now, and whether they
-- came to default within them. Who was in default already is left out: there is nothing left to
-- foresee.
with customer_metrics as (
    select * from {{ ref('customer_metrics') }}
    where open_amount is not null
        and coalesce(overdue_days_max, 0) <= {{ var('default_days') }}
        and {{ add_months('as_of_date', var('default_months')) }} <= {{ newest_as_of_date() }}
        and as_of_date in (select dates.as_of_date from {{ ref('int_sample_dates') }} as dates)
),

defaulted as (
    select distinct as_of_dates.as_of_date, defaults.customer_id
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join {{ ref('int_debt_defaults') }} as defaults
        on as_of_dates.as_of_date < defaults.default_date
            and defaults.default_date
            <= {{ add_months('as_of_dates.as_of_date', var('default_months')) }}
)

select
    customer_metrics.as_of_date,
    customer_metrics.customer_id,
    {% for feature in features %}
    customer_metrics.{{ feature }},
    {% endfor %}
    defaulted.customer_id is not null as is_default
from customer_metrics
left join defaulted
    on customer_metrics.as_of_date = defaulted.as_of_date
        and customer_metrics.customer_id = defaulted.customer_id
