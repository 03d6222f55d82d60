with accounts as (
    select * from {{ ref('dim_accounts') }}
    where account_kind in ('supply', 'subscription')
        and customer_id is not null
),

cut_offs as (
    select as_of_date, cut_date, is_training from {{ ref('int_churn_cut_offs') }}
),

-- A subscription has no dates: who has left is known today only, and all of them teach.
standing as (
    select
        cut_offs.as_of_date,
        cut_offs.cut_date,
        cut_offs.is_training,
        accounts.customer_id,
        accounts.account_kind,
        accounts.usage_category,
        accounts.payment_mode,
        accounts.contract_kind,
        accounts.monthly_charges,
        accounts.contracted_capacity_kva,
        coalesce(
            accounts.tenure_months * 30,
            {{ days_between('accounts.opened_date', 'cut_offs.cut_date') }}
        ) as tenure_days,
        case
            when accounts.account_kind = 'subscription' then accounts.is_churned
            else coalesce(accounts.closed_date <= cut_offs.as_of_date, false)
        end as is_closed
    from accounts
    cross join cut_offs
    where (
        accounts.account_kind = 'supply'
        and accounts.opened_date <= cut_offs.cut_date
        and (accounts.closed_date is null or accounts.closed_date > cut_offs.cut_date)
    )
    or (
        accounts.account_kind = 'subscription'
        and (cut_offs.is_training or not accounts.is_churned)
    )
),

by_customer as (
    select
        as_of_date,
        cut_date,
        is_training,
        customer_id,
        min(account_kind) as account_kind,
        min(usage_category) as usage_category,
        min(payment_mode) as payment_mode,
        min(contract_kind) as contract_kind,
        sum(monthly_charges) as monthly_charges,
        sum(contracted_capacity_kva) as contracted_capacity_kva,
        cast(count(*) as bigint) as accounts,
        cast(max(tenure_days) as bigint) as tenure_days,
        min(case when is_closed then 1 else 0 end) = 1 as has_left
    from standing
    group by as_of_date, cut_date, is_training, customer_id
)

select * from by_customer
