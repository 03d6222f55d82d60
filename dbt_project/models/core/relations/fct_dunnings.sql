-- Reminders of the charging system, and the collection visits and calls of the sales force.
with dunnings as (

    select * from {{ ref('stg_billing__dunnings') }}

),

bills as (

    select bill_no, account_no from {{ ref('stg_billing__bills') }}

),

collections as (

    select * from {{ ref('stg_orders__activities') }}
    where activity_kind = 'collection'

),

customer_records as (

    select source_system, source_record_id, customer_id from {{ ref('int_customer_records') }}

),

reminders as (

    select
        'billing|dunning|' || cast(dunnings.dunning_id as {{ text_type() }}) as dunning_key,
        'billing' as source_system,
        bills.account_no as source_record_id,
        'billing|bill|' || dunnings.bill_no as receivable_key,
        dunnings.channel,
        dunnings.sent_at,
        dunnings.sent_date,
        dunnings.source_timezone
    from dunnings
    inner join bills on dunnings.bill_no = bills.bill_no

    union all

    select
        'orders|activity|' || activity_no,
        'orders',
        customer_no,
        null,
        'sales_force',
        happened_at,
        happened_date,
        source_timezone
    from collections

)

select
    reminders.dunning_key,
    customer_records.customer_id,
    reminders.source_system,
    reminders.source_record_id,
    reminders.receivable_key,
    reminders.channel,
    reminders.sent_at,
    reminders.sent_date,
    reminders.source_timezone
from reminders
left join customer_records
    on
        reminders.source_system = customer_records.source_system
        and reminders.source_record_id = customer_records.source_record_id
