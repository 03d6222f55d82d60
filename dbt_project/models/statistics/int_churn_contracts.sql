with open_contracts as (
    select * from {{ ref('int_open_contracts') }}
),

cut_offs as (
    select cut_date, year_after from {{ ref('int_churn_cut_offs') }}
),

ends as (
    select
        cut_offs.cut_date,
        contracts.customer_id,
        max(contracts.expires_date) as expires_date
    from {{ ref('fct_contracts') }} as contracts
    inner join cut_offs
        on contracts.signed_date <= cut_offs.cut_date
    group by cut_offs.cut_date, contracts.customer_id
),

prompts as (
    select cut_offs.cut_date, dunnings.customer_id, count(*) as dunnings_12m
    from {{ ref('fct_dunnings') }} as dunnings
    inner join cut_offs
        on dunnings.sent_date <= cut_offs.cut_date
            and dunnings.sent_date > cut_offs.year_after
    group by cut_offs.cut_date, dunnings.customer_id
),

grievances as (
    select cut_offs.cut_date, complaints.customer_id, count(*) as complaints_12m
    from {{ ref('fct_complaints') }} as complaints
    inner join cut_offs
        on complaints.opened_date <= cut_offs.cut_date
            and complaints.opened_date > cut_offs.year_after
    group by cut_offs.cut_date, complaints.customer_id
),

features as (
    select
        open_contracts.as_of_date,
        open_contracts.customer_id,
        open_contracts.is_training,
        case when open_contracts.is_training then open_contracts.has_left end as has_left,
        open_contracts.account_kind,
        open_contracts.usage_category,
        open_contracts.payment_mode,
        open_contracts.contract_kind,
        open_contracts.monthly_charges,
        open_contracts.contracted_capacity_kva,
        open_contracts.accounts,
        open_contracts.tenure_days,
        {{ days_between('open_contracts.cut_date', 'ends.expires_date') }}
            as days_to_end_of_contract,
        coalesce(prompts.dunnings_12m, 0) as dunnings_12m,
        coalesce(grievances.complaints_12m, 0) as complaints_12m
    from open_contracts
    {% for step in ['ends', 'prompts', 'grievances'] %}
    left join {{ step }}
        on open_contracts.cut_date = {{ step }}.cut_date
            and open_contracts.customer_id = {{ step }}.customer_id
    {% endfor %}
)

select * from features
