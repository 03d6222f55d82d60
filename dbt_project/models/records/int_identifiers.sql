{% set identifiers = [
    'identity_no_norm', 'phone_norm', 'email_norm', 'name_norm', 'name_pinyin', 'address_norm',
    'birth_date',
] %}

with records as (

    select * from {{ ref('int_source_records') }}

),

identifiers as (

    {% for identifier in identifiers %}
    select
        record_key,
        party_kind,
        name_norm,
        '{{ identifier }}' as identifier,
        cast({{ identifier }} as {{ text_type() }}) as identifier_value
    from records
    where {{ identifier }} is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from identifiers
