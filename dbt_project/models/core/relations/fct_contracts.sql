with supply_contracts as (

    select * from {{ ref('stg_billing__supply_contracts') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'billing'

)

select
    'billing|supply_contract|' || supply_contracts.contract_no as contract_key,
    customer_records.customer_id,
    'billing' as source_system,
    supply_contracts.account_no as source_record_id,
    supply_contracts.signed_date,
    supply_contracts.expires_date,
    {{ money('supply_contracts.guarantee_amount') }} as guarantee_amount,
    supply_contracts.instalment_count,
    {{ money('supply_contracts.instalment_amount') }} as instalment_amount,
    supply_contracts.currency_code
from supply_contracts
left join customer_records on supply_contracts.account_no = customer_records.source_record_id
