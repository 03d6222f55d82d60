{% set attributes = [
    'full_name', 'sex', 'birth_date', 'identity_no', 'phone', 'email', 'address', 'region',
] %}
{% set systems = ['billing', 'his', 'orders', 'service'] %}

with customer_records as (

    select * from {{ ref('int_customer_records') }}

),

survivors as (

    select * from {{ ref('int_survivors') }}

),

customers as (

    select
        customer_id,
        min(party_kind) as customer_type,
        min(first_seen_date) as first_seen_date,
        {% for system in systems %}
        count(case when source_system = '{{ system }}' then 1 end) as {{ system }}_record_count,
        {% endfor %}
        count(distinct source_system) as source_count,
        count(*) as record_count
    from customer_records
    group by customer_id

),

survived as (

    select
        customer_id,
        {% for attribute in attributes %}
        max(case when attribute = '{{ attribute }}' then attribute_value end) as {{ attribute }},
        max(case when attribute = '{{ attribute }}' then source_system end)
            as {{ attribute }}_source,
        max(case when attribute = '{{ attribute }}' then updated_at end)
            as {{ attribute }}_updated_at,
        {% endfor %}
        max(case when attribute = 'full_name' then companion end) as name_norm,
        max(case when attribute = 'identity_no' then companion end) as identity_no_hash,
        max(case when attribute = 'phone' then companion end) as phone_hash,
        max(case when attribute = 'email' then companion end) as email_hash
    from survivors
    group by customer_id

)

select
    customers.customer_id,
    customers.customer_type,
    survived.full_name,
    survived.name_norm,
    survived.sex,
    cast(survived.birth_date as date) as birth_date,
    survived.identity_no,
    survived.identity_no_hash,
    survived.phone,
    survived.phone_hash,
    survived.email,
    survived.email_hash,
    survived.address,
    survived.region,
    survived.full_name_source,
    survived.sex_source,
    survived.birth_date_source,
    survived.identity_no_source,
    survived.phone_source,
    survived.email_source,
    survived.address_source,
    survived.region_source,
    {% for attribute in attributes %}
    survived.{{ attribute }}_updated_at,
    {% endfor %}
    customers.first_seen_date,
    customers.record_count,
    customers.source_count,
    customers.billing_record_count,
    customers.his_record_count,
    customers.orders_record_count,
    customers.service_record_count,
    customers.billing_record_count > 0 as in_billing,
    customers.his_record_count > 0 as in_his,
    customers.orders_record_count > 0 as in_orders,
    customers.service_record_count > 0 as in_service
from customers
left join survived on customers.customer_id = survived.customer_id
