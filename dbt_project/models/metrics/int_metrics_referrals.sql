with stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
),

first_accounts as (
    select customer_id, min(opened_date) as first_opened_date
    from {{ ref('dim_accounts') }}
    where customer_id is not null
    group by customer_id
),

account_holders as (
    select stale_buckets.as_of_date, first_accounts.customer_id
    from first_accounts
    inner join stale_buckets
        on {{ bucket_of('first_accounts.customer_id') }} = stale_buckets.bucket
            and first_accounts.first_opened_date <= stale_buckets.as_of_date
),

-- Whoever is referred in two systems, or as a lead and as a buyer, counts once.
referred_customers as (
    select customer_id, referred_customer_id, min(referred_date) as referred_date
    from {{ ref('fct_referrals') }}
    where customer_id is not null
        and referred_customer_id is not null
        and customer_id <> referred_customer_id
    group by customer_id, referred_customer_id
),

counted as (
    select
        stale_buckets.as_of_date,
        referred_customers.customer_id,
        count(*) as referral_count
    from referred_customers
    inner join stale_buckets
        on {{ bucket_of('referred_customers.customer_id') }} = stale_buckets.bucket
            and referred_customers.referred_date <= stale_buckets.as_of_date
    group by stale_buckets.as_of_date, referred_customers.customer_id
),

keys as (
    select as_of_date, customer_id from account_holders
    union
    select as_of_date, customer_id from counted
),

joined as (
    select
        keys.as_of_date,
        keys.customer_id,
        coalesce(counted.referral_count, 0) as referral_count
    from keys
    left join counted
        on keys.as_of_date = counted.as_of_date
            and keys.customer_id = counted.customer_id
)

select * from joined
