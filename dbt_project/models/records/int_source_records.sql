{% set columns = [
    'source_system', 'source_record_id', 'record_kind', 'party_kind',
    'full_name', 'name_norm', 'name_pinyin', 'sex', 'birth_date',
    'identity_no_norm', 'identity_no_hash', 'phone', 'phone_norm', 'phone_hash',
    'email', 'email_norm', 'email_hash', 'address', 'address_norm', 'region',
    'first_seen_date', 'updated_at', 'named_record_key',
] %}
{% set own_records = [
    ref('int_records__accounts'),
    ref('int_records__subscribers'),
    ref('int_records__patients'),
    ref('int_records__group_clients'),
    ref('int_records__buyers'),
    ref('int_records__callers'),
] %}

with own_records as (

    {% for records in own_records %}
    select {{ columns | join(', ') }} from {{ records }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

mentioned_numbers as (

    select * from {{ ref('int_mentioned_numbers') }}

),

numbers_without_record as (

    select
        mentioned_numbers.source_system,
        mentioned_numbers.source_record_id,
        mentioned_numbers.record_kind,
        mentioned_numbers.party_kind
    from mentioned_numbers
    left join own_records
        on
            mentioned_numbers.source_system = own_records.source_system
            and mentioned_numbers.source_record_id = own_records.source_record_id
    where own_records.source_record_id is null

),

all_records as (

    select * from own_records

    union all

    select
        source_system,
        source_record_id,
        record_kind,
        party_kind,
        null as {{ columns[4:] | join(',\n        null as ') }}
    from numbers_without_record

),

keyed as (

    select
        all_records.source_system || '|' || all_records.source_record_id as record_key,
        {% for column in columns if column != 'first_seen_date' %}
        all_records.{{ column }},
        {% endfor %}
        coalesce(
            all_records.first_seen_date, mentioned_numbers.first_mentioned_date
        ) as first_seen_date
    from all_records
    left join mentioned_numbers
        on
            all_records.source_system = mentioned_numbers.source_system
            and all_records.source_record_id = mentioned_numbers.source_record_id

)

-- the key by which records sort from the oldest to the youngest
select
    *,
    coalesce(cast(first_seen_date as {{ text_type() }}), '9999-12-31') || '|' || record_key
        as age_key
from keyed
