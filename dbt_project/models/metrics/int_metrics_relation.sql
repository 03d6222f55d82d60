with stale_buckets as (
    select * from {{ ref('int_stale_buckets') }}
),

exchange_rates as (
    select * from {{ ref('int_exchange_rates') }}
),

contacts as (
    select
        stale_buckets.as_of_date,
        contacts.customer_id,
        count(*) filter (where contacts.contact_date > stale_buckets.year_starts_after)
            as contacts_12m,
        count(distinct contacts.channel) as channel_count,
        max(contacts.contact_date) as last_contact_date
    from {{ ref('fct_contacts') }} as contacts
    inner join stale_buckets
        on {{ bucket_of('contacts.customer_id') }} = stale_buckets.bucket
            and contacts.contact_date <= stale_buckets.as_of_date
    where contacts.customer_id is not null
    group by stale_buckets.as_of_date, contacts.customer_id
),

-- A complaint's outcome is known from the day it was closed.
complaints as (
    select
        stale_buckets.as_of_date,
        complaints.customer_id,
        count(*) filter (where complaints.opened_date > stale_buckets.year_starts_after)
            as complaints_12m,
        count(*) filter (
            where complaints.closed_date is null
            or complaints.closed_date > stale_buckets.as_of_date
        ) as complaints_open,
        {{ rounded(ratio(
            'count(*) filter ('
            ~ 'where complaints.closed_date <= stale_buckets.as_of_date and complaints.satisfied)',
            'count(complaints.satisfied) filter ('
            ~ 'where complaints.closed_date <= stale_buckets.as_of_date)'
        ), 6) }} as complaint_satisfied_share
    from {{ ref('fct_complaints') }} as complaints
    inner join stale_buckets
        on {{ bucket_of('complaints.customer_id') }} = stale_buckets.bucket
            and complaints.opened_date <= stale_buckets.as_of_date
    where complaints.customer_id is not null
        and complaints.complaint_kind = 'complaint'
    group by stale_buckets.as_of_date, complaints.customer_id
),

answers as (
    select
        stale_buckets.as_of_date,
        answers.customer_id,
        {{ rounded(ratio(
            "sum(answers.score) filter (where answers.dimension = 'satisfaction')",
            "count(answers.score) filter (where answers.dimension = 'satisfaction')"
        ), 6) }} as satisfaction_mean,
        {{ rounded(ratio(
            "sum(answers.score) filter (where answers.dimension = 'loyalty')",
            "count(answers.score) filter (where answers.dimension = 'loyalty')"
        ), 6) }} as loyalty_score
    from {{ ref('fct_survey_answers') }} as answers
    inner join stale_buckets
        on {{ bucket_of('answers.customer_id') }} = stale_buckets.bucket
            and answers.answered_date <= stale_buckets.as_of_date
    where answers.customer_id is not null
    group by stale_buckets.as_of_date, answers.customer_id
),

follow_ups as (
    select
        stale_buckets.as_of_date,
        follow_ups.customer_id,
        {{ rounded(ratio(
            'count(*) filter (where follow_ups.answered_date <= stale_buckets.as_of_date)', 'count(*)'
        ), 6) }} as follow_up_answered_share
    from {{ ref('fct_follow_ups') }} as follow_ups
    inner join stale_buckets
        on {{ bucket_of('follow_ups.customer_id') }} = stale_buckets.bucket
            and follow_ups.sent_date <= stale_buckets.as_of_date
    where follow_ups.customer_id is not null
    group by stale_buckets.as_of_date, follow_ups.customer_id
),

costs as (
    select customer_id, contact_date as cost_date, cost_amount, currency_code
    from {{ ref('fct_contacts') }}
    where cost_amount is not null
        and customer_id is not null
    union all
    select customer_id, activity_date, cost_amount, currency_code
    from {{ ref('fct_activities') }}
    where cost_amount is not null
        and customer_id is not null
),

service_costs as (
    select
        stale_buckets.as_of_date,
        costs.customer_id,
        cast(sum(costs.cost_amount * exchange_rates.rate) as decimal(18, 2))
            as service_cost_12m
    from costs
    inner join stale_buckets
        on {{ bucket_of('costs.customer_id') }} = stale_buckets.bucket
            and costs.cost_date > stale_buckets.year_starts_after
            and costs.cost_date <= stale_buckets.as_of_date
    left join exchange_rates
        on costs.currency_code = exchange_rates.from_currency
            and costs.cost_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or costs.cost_date < exchange_rates.valid_to
            )
    group by stale_buckets.as_of_date, costs.customer_id
),

keys as (
    select as_of_date, customer_id from contacts
    union
    select as_of_date, customer_id from complaints
    union
    select as_of_date, customer_id from answers
    union
    select as_of_date, customer_id from follow_ups
    union
    select as_of_date, customer_id from service_costs
),

-- Whoever the service centre knows has a count, if only zero; whoever it does not has none.
joined as (
    select
        keys.as_of_date,
        keys.customer_id,
        coalesce(contacts.contacts_12m, 0) as contacts_12m,
        coalesce(contacts.channel_count, 0) as channel_count,
        contacts.last_contact_date,
        coalesce(complaints.complaints_12m, 0) as complaints_12m,
        coalesce(complaints.complaints_open, 0) as complaints_open,
        complaints.complaint_satisfied_share,
        answers.satisfaction_mean,
        answers.loyalty_score,
        follow_ups.follow_up_answered_share,
        service_costs.service_cost_12m
    from keys
    left join contacts
        on keys.as_of_date = contacts.as_of_date
            and keys.customer_id = contacts.customer_id
    left join complaints
        on keys.as_of_date = complaints.as_of_date
            and keys.customer_id = complaints.customer_id
    left join answers
        on keys.as_of_date = answers.as_of_date
            and keys.customer_id = answers.customer_id
    left join follow_ups
        on keys.as_of_date = follow_ups.as_of_date
            and keys.customer_id = follow_ups.customer_id
    left join service_costs
        on keys.as_of_date = service_costs.as_of_date
            and keys.customer_id = service_costs.customer_id
)

select * from joined
