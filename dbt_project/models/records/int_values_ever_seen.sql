-- Raw has every version of a row, staging the current one only: what a source said before is read
-- from raw.
{% set parties = [
    ('billing', 'accounts', 'account_no', 'holder_name', 'identity_no', true, true),
    ('his', 'patients', 'patient_no', 'patient_name', 'identity_no', true, true),
    ('his', 'group_clients', 'group_client_no', 'client_name', 'credit_code', false, true),
    ('orders', 'customers', 'customer_no', 'customer_name', 'identity_no', true, true),
    ('service', 'callers', 'caller_no', 'caller_name', 'identity_no', true, false),
] %}

with versions as (

    {% for system, table, number, name, identity_no, has_email, has_address in parties %}
    {% set values = {'full_name': name, 'identity_no': identity_no, 'phone': 'phone'} %}
    {% if has_email %}{% do values.update({'email': 'email'}) %}{% endif %}
    {% if has_address %}
    {% do values.update({'address': 'address', 'region': 'region'}) %}
    {% endif %}
    {% set is_last = loop.last %}
    {% for attribute, column in values.items() %}
    select
        '{{ system }}|' || {{ number }} as record_key,
        '{{ attribute }}' as attribute,
        {{ column }} as attribute_value,
        _day as told_day,
        _is_current and not _is_deleted as is_current
    from {{ source(system, table) }}
    where {{ column }} is not null
    {% if not (is_last and loop.last) %}
    union all
    {% endif %}
    {% endfor %}
    {% endfor %}

)

select
    record_key,
    attribute,
    attribute_value,
    min(told_day) as first_told_day,
    max(told_day) as last_told_day,
    max(case when is_current then 1 else 0 end) = 1 as is_current
from versions
group by record_key, attribute, attribute_value
