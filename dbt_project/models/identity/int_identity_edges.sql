{% set columns = 'left_age_key, right_age_key, left_record_key, right_record_key, party_kind' %}

with decisions as (

    select * from {{ ref('int_identity_decisions') }}

),

must_not_link as (

    select left_age_key, right_age_key from decisions
    where decision = 'must_not_link'

),

edges as (

    select {{ columns }}, match_rule, match_probability from {{ ref('int_exact_edges') }}

    union all

    select {{ columns }}, 'linkage' as match_rule, match_probability
    from {{ ref('int_linkage_pairs') }}
    where is_link

),

allowed_edges as (

    select edges.*, 1 as priority
    from edges
    left join must_not_link
        on
            edges.left_age_key = must_not_link.left_age_key
            and edges.right_age_key = must_not_link.right_age_key
    where must_not_link.left_age_key is null

),

decided_edges as (

    select
        {{ columns }},
        'must_link' as match_rule,
        cast(1 as decimal(5, 4)) as match_probability,
        0 as priority
    from decisions
    where decision = 'must_link'

),

all_edges as (

    select * from allowed_edges
    union all
    select * from decided_edges

)

-- the strongest edge first: the order in which records come together where not all of them may
select
    {{ columns }},
    match_rule,
    match_probability,
    row_number() over (
        order by
            priority asc nulls last,
            match_probability desc nulls last,
            left_age_key asc nulls last,
            right_age_key asc nulls last,
            match_rule asc nulls last
    ) as edge_rank
from all_edges
