-- In: known, name_bits; $namesakes (share). Out: entities. One row per entity, numbered from 1.
create or replace temp table entities as
select
    (row_number() over (order by known.entity_key))::integer as unique_id,
    known.*,
    name_bits.bits as name_bits,
    case when name_bits.bits is not null then greatest(
        pow(2, -name_bits.bits),
        getvariable('namesakes') / getvariable('population')
    ) end as tf_name,
    coalesce(string_split(known.name, ' '), []) as parts,
    case
        when regexp_matches(known.name, '[㐀-鿿]') then []
        else list_distinct(flatten(list_transform(
            string_split(known.name, ' '),
            lambda one: list_transform(
                list_filter(string_split(known.name, ' '), lambda other: other > one),
                lambda other: one || ' ' || other
            )
        )))
    end as part_pairs,
    coalesce(regexp_matches(known.name, '[㐀-鿿]'), false) as is_han,
    known.births[1] as birth,
    regexp_replace(known.name, '(股份有限公司|有限责任公司|有限公司|公司)$', '') as core
from known
left join name_bits on known.party_kind = 'person' and known.name = name_bits.name;

