{{ config(access='protected') }}

-- What is not used to tell who somebody is. The gate empties the normalised form of a value that
-- breaks its standard or is listed as naming nobody; a value that too many share is left out here.
{% set identifiers = {
    'phone': 'phone_norm', 'email': 'email_norm', 'full_name': 'name_norm', 'address': 'address_norm',
} %}

with records as (

    select * from {{ ref('int_source_records') }}

),

shared_identifiers as (

    select * from {{ ref('int_shared_identifiers') }}

),

unusable as (

    {% for identifier, normalised in identifiers.items() %}
    select '{{ normalised }}' as identifier, {{ identifier }} as identifier_value
    from records
    where {{ identifier }} is not null and {{ normalised }} is null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select
    identifier,
    'Not valid, or known to name nobody' as set_aside_reason,
    count(distinct identifier_value) as value_count,
    count(*) as record_count
from unusable
group by identifier

union all

select
    identifier,
    reason as set_aside_reason,
    count(*) as value_count,
    sum(record_count) as record_count
from shared_identifiers
group by identifier, reason
