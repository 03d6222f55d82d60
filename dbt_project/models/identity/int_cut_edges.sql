-- Edges that a conflict cut: strong enough to tie two records that may not be one customer.
with edges as (

    select * from {{ ref('int_identity_edges') }}

),

clusters as (

    select * from {{ ref('int_clusters') }}

),

cluster_numbers as (

    select distinct
        clusters.cluster_key,
        numbers.number_key
    from {{ ref('int_record_numbers') }} as numbers
    inner join clusters on numbers.age_key = clusters.age_key

)

select
    edges.left_age_key,
    edges.right_age_key,
    edges.left_record_key,
    edges.right_record_key,
    edges.party_kind,
    edges.match_rule,
    edges.match_probability,
    case
        when left_numbers.number_key <> right_numbers.number_key then 'identity_number'
        else 'decision'
    end as cut_reason
from edges
inner join clusters as left_clusters on edges.left_age_key = left_clusters.age_key
inner join clusters as right_clusters on edges.right_age_key = right_clusters.age_key
left join cluster_numbers as left_numbers
    on left_clusters.cluster_key = left_numbers.cluster_key
left join cluster_numbers as right_numbers
    on right_clusters.cluster_key = right_numbers.cluster_key
where left_clusters.cluster_key <> right_clusters.cluster_key
