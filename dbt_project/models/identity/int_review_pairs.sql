{{ config(access='protected') }}

-- Pairs that a person should decide: between the thresholds, or tied and yet parted by a conflict.
with linkage_pairs as (

    select * from {{ ref('int_linkage_pairs') }}
    where not is_link

),

cut_edges as (

    select * from {{ ref('int_cut_edges') }}

),

decisions as (

    select left_age_key, right_age_key from {{ ref('int_identity_decisions') }}

),

customer_records as (

    select age_key, customer_id from {{ ref('int_customer_records') }}

),

pairs as (

    select
        left_age_key,
        right_age_key,
        left_record_key,
        right_record_key,
        party_kind,
        match_probability,
        'between_thresholds' as review_reason
    from linkage_pairs

    union all

    select
        left_age_key,
        right_age_key,
        left_record_key,
        right_record_key,
        party_kind,
        match_probability,
        case cut_reason when 'identity_number' then 'two_identity_numbers' else 'parted' end
            as review_reason
    from cut_edges

),

-- the reason that is hardest to overlook, then the surest
ranked as (

    select
        *,
        row_number() over (
            partition by left_age_key, right_age_key
            order by review_reason desc nulls last, match_probability desc nulls last
        ) as pair_rank
    from pairs

)

select
    ranked.left_record_key,
    ranked.right_record_key,
    left_records.customer_id as left_customer_id,
    right_records.customer_id as right_customer_id,
    ranked.party_kind,
    ranked.match_probability,
    ranked.review_reason
from ranked
inner join customer_records as left_records on ranked.left_age_key = left_records.age_key
inner join customer_records as right_records on ranked.right_age_key = right_records.age_key
left join decisions
    on
        ranked.left_age_key = decisions.left_age_key
        and ranked.right_age_key = decisions.right_age_key
where
    ranked.pair_rank = 1
    and left_records.customer_id <> right_records.customer_id
    and decisions.left_age_key is null
