with components as (

    select * from {{ ref('int_components') }}

),

split_clusters as (

    select * from {{ ref('int_split_clusters') }}

),

records as (

    select record_key, age_key, party_kind from {{ ref('int_source_records') }}

)

select
    records.record_key,
    records.age_key,
    records.party_kind,
    coalesce(split_clusters.component, components.component, records.age_key) as cluster_key
from records
left join components on records.age_key = components.node
left join split_clusters on records.age_key = split_clusters.node
