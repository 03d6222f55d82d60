with accounts as (

    select account_no, referred_by, opened_date from {{ ref('stg_billing__accounts') }}
    where referred_by is not null

),

buyers as (

    select customer_no, referred_by, created_date from {{ ref('stg_orders__customers') }}
    where referred_by is not null

),

leads as (

    select lead_no, customer_no, referred_by, created_date from {{ ref('stg_orders__leads') }}
    where referred_by is not null

),

customer_records as (

    select source_system, source_record_id, customer_id from {{ ref('int_customer_records') }}

),

referrals as (

    select
        'billing|account|' || account_no as referral_key,
        'billing' as source_system,
        referred_by as source_record_id,
        account_no as referred_record_id,
        opened_date as referred_date
    from accounts

    union all

    select 'orders|buyer|' || customer_no, 'orders', referred_by, customer_no, created_date
    from buyers

    union all

    select 'orders|lead|' || lead_no, 'orders', referred_by, customer_no, created_date
    from leads

)

select
    referrals.referral_key,
    referrers.customer_id,
    referrals.source_system,
    referrals.source_record_id,
    referred.customer_id as referred_customer_id,
    referrals.referred_date
from referrals
left join customer_records as referrers
    on
        referrals.source_system = referrers.source_system
        and referrals.source_record_id = referrers.source_record_id
left join customer_records as referred
    on
        referrals.source_system = referred.source_system
        and referrals.referred_record_id = referred.source_record_id
