{{ config(materialized='connected_components') }}

with edges as (

    select * from {{ ref('int_identity_edges') }}

)

select
    left_age_key as left_node,
    right_age_key as right_node
from edges
