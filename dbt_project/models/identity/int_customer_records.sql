{{ config(access='protected') }}

with records as (

    select * from {{ ref('int_source_records') }}

),

clusters as (

    select * from {{ ref('int_clusters') }}

),

cluster_ids as (

    select * from {{ ref('int_cluster_ids') }}

),

edges as (

    select * from {{ ref('int_identity_edges') }}

),

edge_ends as (

    select
        left_age_key as age_key,
        right_age_key as other_age_key,
        match_rule,
        match_probability,
        edge_rank
    from edges
    union all
    select
        right_age_key as age_key,
        left_age_key as other_age_key,
        match_rule,
        match_probability,
        edge_rank
    from edges

),

-- Each record is tied by its surest edge inside its cluster.
surest_edges as (

    select
        edge_ends.age_key,
        edge_ends.match_rule,
        edge_ends.match_probability,
        row_number() over (
            partition by edge_ends.age_key
            order by edge_ends.edge_rank asc nulls last
        ) as edge_order
    from edge_ends
    inner join clusters on edge_ends.age_key = clusters.age_key
    inner join clusters as other_clusters
        on
            edge_ends.other_age_key = other_clusters.age_key
            and clusters.cluster_key = other_clusters.cluster_key

)

-- the oldest record of a cluster is where it began
select
    records.record_key,
    records.source_system,
    records.source_record_id,
    records.record_kind,
    records.party_kind,
    records.identity_no_norm,
    records.first_seen_date,
    records.age_key,
    cluster_ids.customer_id,
    coalesce(surest_edges.match_rule, 'first_record') as match_rule,
    coalesce(surest_edges.match_probability, cast(1 as decimal(5, 4))) as match_probability
from records
inner join clusters on records.age_key = clusters.age_key
inner join cluster_ids on clusters.cluster_key = cluster_ids.cluster_key
left join surest_edges
    on
        records.age_key = surest_edges.age_key
        and surest_edges.edge_order = 1
        and records.age_key <> clusters.cluster_key
