with callers as (

    select * from {{ ref('stg_service__callers') }}

),

-- A caller who gave the name of an organisation on file speaks as that organisation.
organisation_names as (

    select name_norm from {{ ref('int_records__accounts') }}
    where party_kind = 'organisation' and name_norm is not null
    union
    select name_norm from {{ ref('int_records__buyers') }}
    where party_kind = 'organisation' and name_norm is not null
    union
    select name_norm from {{ ref('int_records__group_clients') }}
    where name_norm is not null

),

named_callers as (

    select
        callers.*,
        case when organisation_names.name_norm is null then 'person' else 'organisation' end
            as caller_kind
    from callers
    left join organisation_names on callers.caller_name_norm = organisation_names.name_norm

),

records as (

    select
        'service' as source_system,
        caller_no as source_record_id,
        'caller' as record_kind,
        caller_kind as party_kind,

        caller_name as full_name,
        caller_name_norm as name_norm,
        caller_name_pinyin as name_pinyin,

        cast(null as {{ text_type() }}) as sex,
        cast(null as date) as birth_date,
        identity_no_norm,
        identity_no_hash,
        phone,
        phone_norm,
        phone_hash,
        email,
        email_norm,
        email_hash,
        cast(null as {{ text_type() }}) as address,
        cast(null as {{ text_type() }}) as address_norm,
        cast(null as {{ text_type() }}) as region,

        created_date as first_seen_date,
        updated_at,
        named_system || '|' || named_record_id as named_record_key
    from named_callers

)

select * from records
