-- People's word on pairs of records; of several about one pair the newest counts, and on one day
-- the one that parts.
with seeded as (

    select * from {{ ref('identity_decisions') }}

),

of_stewards as (

    select * from {{ ref('stg_steward__identity_decisions') }}

),

words as (

    select
        left_record_key,
        right_record_key,
        decision,
        decided_on
    from seeded

    union all

    select
        left_source_system || '|' || left_source_record_id as left_record_key,
        right_source_system || '|' || right_source_record_id as right_record_key,
        decision,
        cast(decided_at as date) as decided_on
    from of_stewards

),

records as (

    select record_key, age_key, party_kind from {{ ref('int_source_records') }}

),

ordered as (

    select
        least(left_record_key, right_record_key) as left_record_key,
        greatest(left_record_key, right_record_key) as right_record_key,
        decision,
        decided_on
    from words

),

ranked as (

    select
        *,
        row_number() over (
            partition by left_record_key, right_record_key
            order by decided_on desc nulls last, decision desc nulls last
        ) as decision_rank
    from ordered
    where left_record_key <> right_record_key

),

known as (

    select
        ranked.decision,
        ranked.decided_on,
        left_records.party_kind,
        least(left_records.age_key, right_records.age_key) as left_age_key,
        greatest(left_records.age_key, right_records.age_key) as right_age_key
    from ranked
    inner join records as left_records on ranked.left_record_key = left_records.record_key
    inner join records as right_records on ranked.right_record_key = right_records.record_key
    where ranked.decision_rank = 1 and left_records.party_kind = right_records.party_kind

)

-- Nobody can say that a person is a firm, nor speak of a record that no source has.
select
    known.left_age_key,
    known.right_age_key,
    left_records.record_key as left_record_key,
    right_records.record_key as right_record_key,
    known.party_kind,
    known.decision,
    known.decided_on
from known
inner join records as left_records on known.left_age_key = left_records.age_key
inner join records as right_records on known.right_age_key = right_records.age_key
