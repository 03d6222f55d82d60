with stale_buckets as (
    select * from {{ ref('int_stale_buckets') }}
),

first_accounts as (
    select customer_id, min(opened_date) as first_opened_date
    from {{ ref('dim_accounts') }}
    where customer_id is not null
        and account_kind = 'supply'
    group by customer_id
),

account_holders as (
    select stale_buckets.as_of_date, first_accounts.customer_id
    from first_accounts
    inner join stale_buckets
        on {{ bucket_of('first_accounts.customer_id') }} = stale_buckets.bucket
            and first_accounts.first_opened_date <= stale_buckets.as_of_date
),

violations as (
    select
        stale_buckets.as_of_date,
        violations.customer_id,
        count(*) as violations_24m,
        count(*) filter (where violations.violation_kind = 'contract') as contract_breaches_24m
    from {{ ref('fct_violations') }} as violations
    inner join stale_buckets
        on {{ bucket_of('violations.customer_id') }} = stale_buckets.bucket
            and violations.occurred_date > stale_buckets.two_years_start_after
            and violations.occurred_date <= stale_buckets.as_of_date
    where violations.customer_id is not null
    group by stale_buckets.as_of_date, violations.customer_id
),

hazards as (
    select stale_buckets.as_of_date, inspections.customer_id, count(*) as hazards_open
    from {{ ref('fct_inspections') }} as inspections
    inner join stale_buckets
        on {{ bucket_of('inspections.customer_id') }} = stale_buckets.bucket
            and inspections.inspected_date <= stale_buckets.as_of_date
            and (
                inspections.rectified_date is null
                or inspections.rectified_date > stale_buckets.as_of_date
            )
    where inspections.hazard_found
        and inspections.customer_id is not null
    group by stale_buckets.as_of_date, inspections.customer_id
),

keys as (
    select as_of_date, customer_id from account_holders
    union
    select as_of_date, customer_id from violations
    union
    select as_of_date, customer_id from hazards
),

joined as (
    select
        keys.as_of_date,
        keys.customer_id,
        coalesce(violations.violations_24m, 0) as violations_24m,
        coalesce(violations.contract_breaches_24m, 0) as contract_breaches_24m,
        coalesce(hazards.hazards_open, 0) as hazards_open
    from keys
    left join violations
        on keys.as_of_date = violations.as_of_date
            and keys.customer_id = violations.customer_id
    left join hazards
        on keys.as_of_date = hazards.as_of_date
            and keys.customer_id = hazards.customer_id
)

select * from joined
