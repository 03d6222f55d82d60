{{ config(materialized='constrained_components') }}

-- Only what lies in a conflicting component: its edges, identity numbers and parted pairs.
with conflicting_nodes as (

    select components.node
    from {{ ref('int_components') }} as components
    inner join {{ ref('int_conflicts') }} as conflicts
        on components.component = conflicts.component

),

edges as (

    select left_age_key, right_age_key, edge_rank from {{ ref('int_identity_edges') }}

),

numbers as (

    select age_key, number_key from {{ ref('int_record_numbers') }}

),

partings as (

    select left_age_key, right_age_key from {{ ref('int_identity_decisions') }}
    where decision = 'must_not_link'

)

select
    'edge' as kind,
    edges.left_age_key as left_node,
    edges.right_age_key as right_node,
    edges.edge_rank
from edges
inner join conflicting_nodes on edges.left_age_key = conflicting_nodes.node

union all

select
    'colour' as kind,
    numbers.age_key as left_node,
    numbers.number_key as right_node,
    cast(null as bigint) as edge_rank
from numbers
inner join conflicting_nodes on numbers.age_key = conflicting_nodes.node

union all

select
    'apart' as kind,
    partings.left_age_key as left_node,
    partings.right_age_key as right_node,
    cast(null as bigint) as edge_rank
from partings
inner join conflicting_nodes on partings.left_age_key = conflicting_nodes.node
