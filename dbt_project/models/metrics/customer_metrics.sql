-- depends_on: {{ ref('int_told_metrics') }}
{{ config(
    pre_hook=[
        "{{ forget_told_again(ref('int_stale_buckets'), true) }}",
        "{{ forget_unasked_dates() }}",
    ],
) }}
with customer_dates as (
    select * from {{ ref('int_customer_dates') }}
),

purchases as (
    select * from {{ ref('int_metrics_purchases') }}
),

history as (
    select * from {{ ref('int_metrics_history') }}
),

accounts as (
    select * from {{ ref('int_metrics_accounts') }}
),

payment as (
    select * from {{ ref('int_metrics_payment') }}
),

arrears as (
    select * from {{ ref('int_metrics_arrears') }}
),

collection as (
    select * from {{ ref('int_metrics_collection') }}
),

relation as (
    select * from {{ ref('int_metrics_relation') }}
),

conduct as (
    select * from {{ ref('int_metrics_conduct') }}
),

referrals as (
    select * from {{ ref('int_metrics_referrals') }}
),

relationship as (
    select * from {{ ref('int_metrics_relationship') }}
),

-- A zero where the customer is known to have such facts at all, NULL where there are none.
joined as (
    select
        customer_dates.as_of_date,
        customer_dates.customer_id,
        customer_dates.tenure_days,
        history.recency_days,
        history.frequency_total,
        history.monetary_total,
        history.order_interval_mean,
        history.order_interval_cv,
        history.discount_rate_mean,
        history.product_class_count,
        history.last_system,
        case
            when history.frequency_total is not null then coalesce(purchases.frequency_12m, 0)
        end as frequency_12m,
        case
            when history.order_count_total > 0 then coalesce(purchases.order_count_12m, 0)
        end as order_count_12m,
        case
            when history.frequency_total is not null then coalesce(purchases.monetary_12m, 0)
        end as monetary_12m,
        purchases.monetary_previous_12m,
        purchases.margin_12m,
        purchases.gross_with_known_margin_12m,
        relation.service_cost_12m,
        accounts.kwh_12m,
        accounts.supply_voltage_kv_max,
        accounts.contracted_capacity_kva,
        accounts.usage_category,
        accounts.importance_class,
        accounts.estimated_annual_demand,
        payment.billed_12m,
        payment.collected_12m,
        payment.on_time_share,
        payment.days_late_mean,
        payment.days_late_max,
        case
            when collection.customer_id is not null then coalesce(payment.open_amount, 0)
        end as open_amount,
        case
            when collection.customer_id is not null then coalesce(payment.overdue_amount, 0)
        end as overdue_amount,
        payment.overdue_days_max,
        case
            when collection.customer_id is not null then coalesce(payment.overdue_count, 0)
        end as overdue_count,
        case
            when collection.customer_id is not null then coalesce(arrears.arrears_months_12m, 0)
        end as arrears_months_12m,
        collection.in_transit_amount,
        collection.collection_count,
        collection.bounced_count,
        collection.written_off_count,
        collection.written_off_amount,
        accounts.guarantee_amount,
        relation.contacts_12m,
        relation.complaints_12m,
        relation.complaints_open,
        relation.last_contact_date,
        relation.complaint_satisfied_share,
        relation.satisfaction_mean,
        relation.loyalty_score,
        relation.follow_up_answered_share,
        relation.channel_count,
        referrals.referral_count,
        conduct.violations_24m,
        conduct.hazards_open,
        conduct.contract_breaches_24m,
        relationship.risk_rate,
        relationship.risk_cost_12m,
        relationship.net_gain_12m,
        relationship.relationship_value
    from customer_dates
    {% for step in [
        'purchases', 'history', 'accounts', 'payment', 'arrears', 'collection', 'relation',
        'conduct', 'referrals', 'relationship',
    ] %}
    left join {{ step }}
        on customer_dates.as_of_date = {{ step }}.as_of_date
            and customer_dates.customer_id = {{ step }}.customer_id
    {% endfor %}
),

typed as (
    select
        as_of_date,
        customer_id,
        '{{ var("reporting_currency") }}' as currency_code,
        cast(recency_days as bigint) as recency_days,
        cast(frequency_12m as bigint) as frequency_12m,
        cast(frequency_total as bigint) as frequency_total,
        cast(order_count_12m as bigint) as order_count_12m,
        {{ money('monetary_12m', 4) }} as monetary_12m,
        {{ money('monetary_total', 4) }} as monetary_total,
        {{ money('margin_12m', 4) }} as margin_12m,
        {{ rounded(ratio('margin_12m', 'gross_with_known_margin_12m'), 6) }} as margin_rate,
        {{ money('service_cost_12m') }} as service_cost_12m,
        cast(tenure_days as bigint) as tenure_days,
        order_interval_mean,
        order_interval_cv,
        -- no source knows how long a customer stayed yet
        cast(null as decimal(18, 2)) as average_stay_minutes,
        discount_rate_mean,
        product_class_count,
        {{ rounded(ratio('monetary_12m', 'estimated_annual_demand'), 6) }} as wallet_share,
        {{ rounded(ratio('monetary_12m', 'monetary_previous_12m') ~ ' - 1', 6) }} as growth_12m,
        last_system,
        cast(kwh_12m as decimal(18, 2)) as kwh_12m,
        cast(supply_voltage_kv_max as decimal(18, 2)) as supply_voltage_kv_max,
        cast(contracted_capacity_kva as decimal(18, 2)) as contracted_capacity_kva,
        usage_category,
        importance_class,
        billed_12m,
        collected_12m,
        {{ rounded(ratio('collected_12m', 'billed_12m'), 6) }} as collection_rate,
        on_time_share,
        days_late_mean,
        cast(days_late_max as bigint) as days_late_max,
        {{ money('open_amount') }} as open_amount,
        {{ money('overdue_amount') }} as overdue_amount,
        cast(overdue_days_max as bigint) as overdue_days_max,
        cast(overdue_count as bigint) as overdue_count,
        {{ money('in_transit_amount') }} as in_transit_amount,
        cast(collection_count as bigint) as collection_count,
        cast(bounced_count as bigint) as bounced_count,
        cast(arrears_months_12m as bigint) as arrears_months_12m,
        cast(written_off_count as bigint) as written_off_count,
        {{ money('written_off_amount') }} as written_off_amount,
        guarantee_amount,
        {{ rounded(ratio('open_amount', 'guarantee_amount'), 6) }} as utilisation_of_guarantee,
        cast(contacts_12m as bigint) as contacts_12m,
        cast(complaints_12m as bigint) as complaints_12m,
        complaint_satisfied_share,
        satisfaction_mean,
        loyalty_score,
        follow_up_answered_share,
        cast(referral_count as bigint) as referral_count,
        cast(violations_24m as bigint) as violations_24m,
        cast(hazards_open as bigint) as hazards_open,
        cast(contract_breaches_24m as bigint) as contract_breaches_24m,
        cast(channel_count as bigint) as channel_count,
        cast(complaints_open as bigint) as complaints_open,
        {{ rounded(ratio('monetary_total', 'frequency_total'), 4) }} as monetary_mean,
        {{ money('estimated_annual_demand - monetary_12m', 4) }} as wallet_headroom,
        risk_rate,
        risk_cost_12m,
        net_gain_12m,
        relationship_value,
        last_contact_date
    from joined
)

select * from typed
