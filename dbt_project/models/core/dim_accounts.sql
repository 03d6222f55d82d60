with accounts as (

    select * from {{ ref('stg_billing__accounts') }}

),

subscriptions as (

    select * from {{ ref('stg_billing__subscriptions') }}

),

buyers as (

    select * from {{ ref('stg_orders__customers') }}

),

customer_records as (

    select source_system, source_record_id, customer_id from {{ ref('int_customer_records') }}

),

combined as (

    select
        'billing|account|' || account_no as account_key,
        'billing' as source_system,
        account_no as source_record_id,
        'supply' as account_kind,
        usage_category,
        supply_voltage_kv,
        contracted_capacity_kva,
        estimated_annual_demand,
        currency_code,
        importance_class,
        payment_mode,
        cast(null as integer) as payment_terms_days,
        manager,
        cast(null as {{ text_type() }}) as contract_kind,
        cast(null as integer) as tenure_months,
        cast(null as decimal(18, 2)) as monthly_charges,
        cast(null as boolean) as is_churned,
        opened_date,
        closed_date
    from accounts

    union all

    select
        'billing|subscription|' || customer_no,
        'billing',
        customer_no,
        'subscription',
        null,
        null,
        null,
        null,
        currency_code,
        null,
        null,
        null,
        null,
        contract_kind,
        tenure_months,
        monthly_charges,
        is_churned,
        null,
        null
    from subscriptions

    union all

    select
        'orders|buyer|' || customer_no,
        'orders',
        customer_no,
        'buyer',
        null,
        null,
        null,
        estimated_annual_demand,
        currency_code,
        null,
        null,
        payment_terms_days,
        null,
        null,
        null,
        null,
        null,
        created_date,
        null
    from buyers

)

select
    combined.account_key,
    customer_records.customer_id,
    combined.source_system,
    combined.source_record_id,
    combined.account_kind,
    combined.usage_category,
    combined.supply_voltage_kv,
    combined.contracted_capacity_kva,
    combined.estimated_annual_demand,
    combined.currency_code,
    combined.importance_class,
    combined.payment_mode,
    combined.payment_terms_days,
    combined.manager,
    combined.contract_kind,
    combined.tenure_months,
    combined.monthly_charges,
    combined.is_churned,
    combined.opened_date,
    combined.closed_date
from combined
left join customer_records
    on
        combined.source_system = customer_records.source_system
        and combined.source_record_id = customer_records.source_record_id
