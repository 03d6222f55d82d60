{{ config(access='protected') }}

with records as (

    select * from {{ ref('int_source_records') }}

),

clusters as (

    select * from {{ ref('int_clusters') }}

),

edges as (

    select * from {{ ref('int_identity_edges') }}

),

edge_ends as (

    select left_age_key as age_key, match_rule, match_probability from edges
    union all
    select right_age_key as age_key, match_rule, match_probability from edges

),

-- Each record is tied by its surest edge; the oldest record of a cluster is where it began.
surest_edges as (

    select
        age_key,
        match_rule,
        match_probability,
        row_number() over (
            partition by age_key
            order by match_probability desc nulls last, match_rule asc nulls last
        ) as edge_rank
    from edge_ends

),

assigned as (

    select
        records.record_key,
        records.source_system,
        records.source_record_id,
        records.record_kind,
        records.party_kind,
        records.identity_no_norm,
        records.first_seen_date,
        records.age_key,
        coalesce(clusters.component, records.age_key) as oldest_age_key
    from records
    left join clusters on records.age_key = clusters.node

)

select
    assigned.record_key,
    assigned.source_system,
    assigned.source_record_id,
    assigned.record_kind,
    assigned.party_kind,
    assigned.identity_no_norm,
    assigned.first_seen_date,
    md5(oldest.record_key) as customer_id,
    coalesce(surest_edges.match_rule, 'first_record') as match_rule,
    coalesce(surest_edges.match_probability, cast(1 as decimal(5, 4))) as match_probability
from assigned
inner join records as oldest on assigned.oldest_age_key = oldest.age_key
left join surest_edges
    on
        assigned.age_key = surest_edges.age_key
        and surest_edges.edge_rank = 1
        and assigned.age_key <> assigned.oldest_age_key
