-- In: known, name_bits; the variables namesakes (share of 1) and population. Out: entities. One
-- row per entity, numbered from 1 in the order of their keys.
create or replace temp table entities as
with split as (
    select
        *,
        coalesce(string_split(name, ' '), []) as parts,
        coalesce(regexp_matches(name, '[㐀-鿿]'), false) as is_han
    from known
)
select
    (row_number() over (order by split.entity_key))::integer as unique_id,
    split.*,
    name_bits.bits as name_bits,
    case when split.party_kind = 'person' and name_bits.bits is not null then greatest(
        pow(2, -name_bits.bits),
        getvariable('namesakes') / getvariable('population')
    ) end as tf_name,
    -- two of the first four parts: a middle name is written or not
    case when is_han then [] else list_filter(
        [
            parts[1] || ' ' || parts[2], parts[1] || ' ' || parts[3], parts[2] || ' ' || parts[3],
            parts[1] || ' ' || parts[4], parts[2] || ' ' || parts[4], parts[3] || ' ' || parts[4]
        ],
        lambda pair: pair is not null
    ) end as part_pairs,
    split.births[1] as birth,
    case when split.party_kind = 'organisation' then
        regexp_replace(split.name, '(股份有限公司|有限责任公司|有限公司|公司)$', '')
    end as core
from split
left join name_bits on split.name = name_bits.name;
