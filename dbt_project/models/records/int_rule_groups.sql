-- One group per rule and set of equal identifier values. A rule needs all of its identifiers, and
-- none of them a value that too many names share.
with identifiers as (

    select * from {{ ref('int_identifiers') }}

),

shared_identifiers as (

    select * from {{ ref('int_shared_identifiers') }}

),

match_rules as (

    select
        *,
        length(identifiers) - length(replace(identifiers, '+', '')) + 1 as identifier_count
    from {{ ref('match_rules') }}

),

usable as (

    select identifiers.*
    from identifiers
    left join shared_identifiers
        on
            identifiers.identifier = shared_identifiers.identifier
            and identifiers.identifier_value = shared_identifiers.identifier_value
    where shared_identifiers.identifier is null

),

fitting as (

    select
        match_rules.rule,
        match_rules.party_kind,
        match_rules.identifier_count,
        usable.record_key,
        usable.identifier || '=' || usable.identifier_value as identifier_text
    from match_rules
    inner join usable
        on
            match_rules.party_kind = usable.party_kind
            and '+' || match_rules.identifiers || '+' like '%+' || usable.identifier || '+%'

),

grouped as (

    select
        rule,
        party_kind,
        record_key,
        {{ string_agg_distinct('identifier_text', '+') }} as group_key
    from fitting
    group by rule, party_kind, record_key, identifier_count
    having count(*) = identifier_count

)

select * from grouped
