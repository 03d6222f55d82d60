with records as (

    select * from {{ ref('int_source_records') }}

),

rule_groups as (

    select * from {{ ref('int_rule_groups') }}

),

match_rules as (

    select * from {{ ref('match_rules') }}

),

members as (

    select
        rule_groups.rule,
        rule_groups.party_kind,
        rule_groups.group_key,
        records.age_key,
        records.identity_no_norm
    from rule_groups
    inner join records on rule_groups.record_key = records.record_key

),

-- A group under two valid identity numbers ties nobody: whom it meant cannot be told.
groups as (

    select
        rule,
        party_kind,
        group_key,
        min(age_key) as oldest_age_key,
        count(*) as member_count
    from members
    group by rule, party_kind, group_key
    having count(distinct identity_no_norm) <= 1 and count(*) > 1

),

group_edges as (

    select
        groups.rule,
        groups.party_kind,
        groups.oldest_age_key as left_age_key,
        members.age_key as right_age_key
    from groups
    inner join match_rules
        on groups.rule = match_rules.rule and groups.party_kind = match_rules.party_kind
    inner join members
        on
            groups.rule = members.rule
            and groups.party_kind = members.party_kind
            and groups.group_key = members.group_key
    where
        groups.member_count <= match_rules.group_limit
        and groups.oldest_age_key <> members.age_key

),

named_edges as (

    select
        'named_record' as rule,
        named.party_kind,
        least(named.age_key, callers.age_key) as left_age_key,
        greatest(named.age_key, callers.age_key) as right_age_key
    from records as callers
    inner join records as named
        on callers.named_record_key = named.record_key and callers.party_kind = named.party_kind
    where
        (
            callers.name_norm = named.name_norm
            or callers.name_pinyin = named.name_pinyin
            or (callers.phone_norm = named.phone_norm and callers.name_norm is null)
        )
        and coalesce(callers.identity_no_norm, named.identity_no_norm, '')
        = coalesce(named.identity_no_norm, callers.identity_no_norm, '')

),

edges as (

    select * from group_edges
    union all
    select * from named_edges

)

select
    edges.left_age_key,
    edges.right_age_key,
    left_records.record_key as left_record_key,
    right_records.record_key as right_record_key,
    edges.rule as match_rule,
    edges.party_kind,
    match_rules.probability as match_probability
from edges
inner join match_rules
    on edges.rule = match_rules.rule and edges.party_kind = match_rules.party_kind
inner join records as left_records on edges.left_age_key = left_records.age_key
inner join records as right_records on edges.right_age_key = right_records.age_key
