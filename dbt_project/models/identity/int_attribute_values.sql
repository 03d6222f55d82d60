-- Attribute, the value that is kept, and what travels with it (`companion`): the name that is
-- compared, or the keyed hash.
{% set attributes = [
    ('full_name', 'full_name', 'name_norm'),
    ('sex', 'sex', 'null'),
    ('birth_date', 'birth_date', 'null'),
    ('identity_no', 'identity_no_norm', 'identity_no_hash'),
    ('phone', 'phone_norm', 'phone_hash'),
    ('email', 'email_norm', 'email_hash'),
    ('address', 'address', 'address_norm'),
    ('region', 'region', 'null'),
] %}

with records as (

    select * from {{ ref('int_source_records') }}

),

customer_records as (

    select record_key, customer_id from {{ ref('int_customer_records') }}

),

attribute_values as (

    {% for attribute, value, companion in attributes %}
    select
        record_key,
        source_system,
        updated_at,
        '{{ attribute }}' as attribute,
        cast({{ value }} as {{ text_type() }}) as attribute_value,
        cast({{ companion }} as {{ text_type() }}) as companion
    from records
    where {{ value }} is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select
    customer_records.customer_id,
    attribute_values.*
from attribute_values
inner join customer_records on attribute_values.record_key = customer_records.record_key
