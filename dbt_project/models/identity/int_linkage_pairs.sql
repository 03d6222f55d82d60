-- Pairs of the statistical linkage that may be one customer: one kind of party, no two identity
-- numbers. What nobody decided and is not sure enough waits for a person.
with linkage_edges as (

    select * from {{ source('analytics', 'linkage_edges') }}

),

thresholds as (

    select * from {{ ref('linkage_thresholds') }}

),

records as (

    select record_key, age_key, party_kind from {{ ref('int_source_records') }}

),

numbers as (

    select record_key, number_key from {{ ref('int_record_numbers') }}

),

known_pairs as (

    select
        least(left_records.age_key, right_records.age_key) as left_age_key,
        greatest(left_records.age_key, right_records.age_key) as right_age_key,
        left_records.party_kind,
        max(linkage_edges.match_probability) as match_probability,
        max(linkage_edges.match_weight) as match_weight,
        max(linkage_edges.model_version) as model_version
    from linkage_edges
    inner join records as left_records
        on linkage_edges.left_record_key = left_records.record_key
    inner join records as right_records
        on linkage_edges.right_record_key = right_records.record_key
    left join numbers as left_numbers
        on linkage_edges.left_record_key = left_numbers.record_key
    left join numbers as right_numbers
        on linkage_edges.right_record_key = right_numbers.record_key
    where
        left_records.party_kind = right_records.party_kind
        and left_records.age_key <> right_records.age_key
        and coalesce(left_numbers.number_key = right_numbers.number_key, true)
    group by 1, 2, 3

)

select
    known_pairs.left_age_key,
    known_pairs.right_age_key,
    left_records.record_key as left_record_key,
    right_records.record_key as right_record_key,
    known_pairs.party_kind,
    {{ rounded('known_pairs.match_probability', 4, 5) }} as match_probability,
    {{ rounded('known_pairs.match_weight', 4, 10) }} as match_weight,
    known_pairs.model_version,
    known_pairs.match_probability >= thresholds.link_from as is_link
from known_pairs
inner join thresholds on known_pairs.party_kind = thresholds.party_kind
inner join records as left_records on known_pairs.left_age_key = left_records.age_key
inner join records as right_records on known_pairs.right_age_key = right_records.age_key
where known_pairs.match_probability >= thresholds.review_from
