{% set attributes = ['sex', 'identity_no', 'phone', 'email', 'address', 'region'] %}
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
        count(*) as record_count,
        count(distinct source_system) as source_count,
        {% for system in systems %}
        count(case when source_system = '{{ system }}' then 1 end) as {{ system }}_record_count
        {{- ',' if not loop.last }}
        {% endfor %}
    from customer_records
    group by customer_id

),

survived as (

    select
        customer_id,
        max(case when attribute = 'full_name' then attribute_value end) as full_name,
        max(case when attribute = 'full_name' then companion end) as name_norm,
        max(case when attribute = 'full_name' then source_system end) as full_name_source,
        max(case when attribute = 'birth_date' then attribute_value end) as birth_date,
        max(case when attribute = 'birth_date' then source_system end) as birth_date_source,
        max(case when attribute = 'identity_no' then companion end) as identity_no_hash,
        max(case when attribute = 'phone' then companion end) as phone_hash,
        max(case when attribute = 'email' then companion end) as email_hash,
        {% for attribute in attributes %}
        max(case when attribute = '{{ attribute }}' then attribute_value end) as {{ attribute }},
        max(case when attribute = '{{ attribute }}' then source_system end)
            as {{ attribute }}_source
        {{- ',' if not loop.last }}
        {% endfor %}
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
    customers.first_seen_date,
    customers.record_count,
    customers.source_count,
    {% for system in systems %}
    customers.{{ system }}_record_count,
    {% endfor %}
    {% for system in systems %}
    customers.{{ system }}_record_count > 0 as in_{{ system }}
    {{- ',' if not loop.last }}
    {% endfor %}
from customers
left join survived on customers.customer_id = survived.customer_id
