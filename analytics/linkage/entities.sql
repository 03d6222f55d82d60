-- Records that exact rules tie are one entity: what any of them knows speaks for all of them.
-- In: records, members (record_key, entity_key). Out: entities, entity_blocks. One row per entity;
-- the columns are those that the comparisons and the blocking rules of the model name.
create or replace temp table entity_records as
with tied as (
    select
        records.*,
        coalesce(members.entity_key, records.record_key) as tied_key
    from records
    left join members using (record_key)
),
-- Two valid identity numbers are two people, whatever tied them: nothing is shared between them.
mixed as (
    select tied_key from tied group by tied_key
    having count(distinct identity_no_norm) > 1 or count(distinct party_kind) > 1
)
select
    tied.* exclude (tied_key),
    case when mixed.tied_key is null then tied.tied_key else tied.record_key end as entity_key,
    list_sort(list_transform(
        regexp_extract_all(
            translate(tied.address, '０１２３４５６７８９', '0123456789'), '[0-9]+'
        ),
        lambda number: lpad(number, 6, '0')
    )) as address_numbers,
    party_kind = 'person' and length(identity_no_norm) = 18 as is_resident_number
from tied
left join mixed using (tied_key);

create or replace temp table known as
select
    entity_key,
    min(party_kind) as party_kind,
    list_sort(list(distinct record_kind) filter (record_kind is not null)) as kinds,
    coalesce(list_sort(list(distinct name_norm) filter (name_norm is not null)), []) as names,
    coalesce(list_sort(list(distinct name_pinyin) filter (name_pinyin is not null)), []) as pinyins,
    arg_max(name_norm, (length(name_norm), name_norm)) as name,
    min(identity_no_norm) as identity_no,
    coalesce(list_sort(list_distinct(list_concat(
        list(birth_date) filter (birth_date is not null),
        list(try_strptime(substr(identity_no_norm, 7, 8), '%Y%m%d')::date)
            filter (is_resident_number)
    ))), []) as births,
    coalesce(
        min(sex),
        min(case when try_cast(substr(identity_no_norm, 17, 1) as integer) % 2 = 1 then 'M' else 'F' end)
            filter (is_resident_number)
    ) as sex,
    coalesce(list_sort(list(distinct phone_norm) filter (phone_norm is not null)), []) as phones,
    coalesce(list_sort(list(distinct email_norm) filter (email_norm is not null)), []) as emails,
    list_sort(list(record_key)) as record_keys,
    coalesce(list_sort(list(distinct named_record_key) filter (named_record_key is not null)), [])
        as named_keys,
    coalesce(list_sort(list(distinct region) filter (region is not null)), []) as regions,
    coalesce(list_sort(list(distinct
        region || '|' || array_to_string(address_numbers, '-')
    ) filter (len(address_numbers) > 1 and region is not null)), []) as addresses
from entity_records
group by entity_key;
