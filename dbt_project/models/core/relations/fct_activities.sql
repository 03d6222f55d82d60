with activities as (

    select * from {{ ref('stg_orders__activities') }}

),

customer_records as (

    select source_record_id, customer_id from {{ ref('int_customer_records') }}
    where source_system = 'orders'

)

select
    'orders|activity|' || activities.activity_no as activity_key,
    customer_records.customer_id,
    'orders' as source_system,
    activities.customer_no as source_record_id,
    activities.activity_kind,
    activities.salesperson,
    activities.happened_at as activity_at,
    activities.happened_date as activity_date,
    activities.source_timezone,
    {{ money('activities.cost') }} as cost_amount,
    activities.currency_code
from activities
left join customer_records on activities.customer_no = customer_records.source_record_id
