-- How rare a name is, from the frequencies of its parts: two people called 欧阳雪瑞 are more surely
-- one than two called 王伟, even where each name stands in the data but twice.
-- In: known. Out: name_bits (name, bits): -log2 of the share of people who bear it, whole bits.
create or replace temp table name_parts as
with bearers as (
    select name, any_value(party_kind) as party_kind, count(*) as bearers
    from known where name is not null group by name
),
split as (
    select
        name,
        bearers,
        regexp_matches(name, '[㐀-鿿]') as is_han,
        case
            when regexp_matches(name, '[㐀-鿿]')
                then list_transform(
                    generate_series(1, length(name)),
                    lambda position: case when position = 1 then 'surname ' else 'given ' end
                        || name[position]
                )
            else list_distinct(string_split(name, ' '))
        end as parts
    from bearers
    where party_kind = 'person'
)
select name, bearers, is_han, unnest(parts) as part, len(parts) as part_count from split;

create or replace temp table part_counts as
select is_han, part, sum(bearers)::double as bearers from name_parts group by is_han, part;

-- How many people the other parts that go with a part stand for: a part of one language says
-- nothing about names of another.
create or replace temp table part_company as
with pairs as (
    select distinct one.part, other.part as other_part
    from name_parts as one
    inner join name_parts as other using (name)
    where not one.is_han and one.part <> other.part
)
select pairs.part, sum(part_counts.bearers) as bearers
from pairs
inner join part_counts on part_counts.part = pairs.other_part and not part_counts.is_han
group by pairs.part;

create or replace temp table name_bits as
with totals as (
    select
        sum(bearers) as people,
        sum(bearers) filter (is_han) as han_people
    from (select distinct name, bearers, is_han from name_parts)
),
given_total as (
    select sum(bearers) as characters from part_counts where is_han and part like 'given %'
),
ranked as (
    select
        name_parts.*,
        part_counts.bearers as part_bearers,
        part_company.bearers as company,
        row_number() over (
            partition by name_parts.name order by part_counts.bearers desc, name_parts.part
        ) as part_rank
    from name_parts
    inner join part_counts
        on name_parts.part = part_counts.part and name_parts.is_han = part_counts.is_han
    left join part_company on not name_parts.is_han and name_parts.part = part_company.part
),
first_parts as (select name, company from ranked where part_rank = 1),
summed as (
    select
        ranked.name,
        any_value(ranked.bearers) as bearers,
        sum(log2(case
            when ranked.part like 'surname %' then totals.people / ranked.part_bearers
            when ranked.is_han then given_total.characters / ranked.part_bearers
            when ranked.part_rank = 1 then totals.people / ranked.part_bearers
            else greatest(first_parts.company / ranked.part_bearers, 1)
        end)) as bits
    from ranked
    cross join totals
    cross join given_total
    inner join first_parts on ranked.name = first_parts.name
    group by ranked.name
)
select
    summed.name,
    round(least(
        summed.bits,
        case when summed.bearers > 2 then log2(totals.people / (summed.bearers - 2)) else 60 end
    ))::integer as bits
from summed cross join totals;
