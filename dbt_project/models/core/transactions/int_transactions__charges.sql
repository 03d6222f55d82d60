-- A charge says what was paid, never for what: the class of item is a health value.
{{ config(materialized='view') }}

with charges as (

    select * from {{ ref('stg_his__charges') }}

),

visits as (

    select visit_no, payer_no from {{ ref('stg_his__visits') }}

)

select
    'his|charge|' || cast(charges.charge_id as {{ text_type() }}) as transaction_key,
    'his' as source_system,
    visits.payer_no as source_record_id,
    case when charges.amount < 0 then 'return' else 'sale' end as transaction_kind,
    charges.visit_no as document_no,
    cast(null as integer) as line_no,
    charges.charged_at as transaction_at,
    charges.charged_date as transaction_date,
    charges.source_timezone,
    cast(null as date) as cancelled_date,
    cast(null as {{ text_type() }}) as product_code,
    'hospital_care' as product_class,
    cast(null as decimal(18, 3)) as quantity,
    cast(null as decimal(18, 4)) as unit_price,
    {{ money('charges.amount', 4) }} as list_amount,
    {{ money('charges.amount', 4) }} as gross_amount,
    {{ money('charges.cost', 4) }} as cost_amount,
    charges.currency_code
from charges
inner join visits on charges.visit_no = visits.visit_no
