-- Why records of one id are now another: the surest edge that ties them to records which were not
-- of the old id, and what parts them from those that are or were.
with moved_records as (

    select * from {{ ref('int_moved_records') }}
    where customer_id_after is not null

),

previous_customers as (

    select record_key, customer_id from {{ ref('int_previous_customers') }}

),

customer_records as (

    select record_key, customer_id from {{ ref('int_customer_records') }}

),

edges as (

    select left_record_key, right_record_key, match_rule, edge_rank
    from {{ ref('int_identity_edges') }}

),

edge_ends as (

    select left_record_key as record_key, right_record_key as other_key, match_rule, edge_rank
    from edges
    union all
    select right_record_key as record_key, left_record_key as other_key, match_rule, edge_rank
    from edges

),

ties as (

    select
        moved_records.customer_id_before,
        moved_records.customer_id_after,
        edge_ends.match_rule,
        row_number() over (
            partition by moved_records.customer_id_before, moved_records.customer_id_after
            order by edge_ends.edge_rank asc nulls last
        ) as tie_rank
    from moved_records
    inner join edge_ends on moved_records.record_key = edge_ends.record_key
    inner join customer_records
        on
            edge_ends.other_key = customer_records.record_key
            and moved_records.customer_id_after = customer_records.customer_id
    left join previous_customers on edge_ends.other_key = previous_customers.record_key
    where coalesce(previous_customers.customer_id <> moved_records.customer_id_before, true)

),

parted as (

    select * from {{ ref('int_change_partings') }}

),

pairs as (

    select distinct customer_id_before, customer_id_after from moved_records

)

select
    pairs.customer_id_before,
    pairs.customer_id_after,
    ties.match_rule as tied_by,
    parted.parted_by
from pairs
left join ties
    on
        pairs.customer_id_before = ties.customer_id_before
        and pairs.customer_id_after = ties.customer_id_after
        and ties.tie_rank = 1
left join parted
    on
        pairs.customer_id_before = parted.customer_id_before
        and pairs.customer_id_after = parted.customer_id_after
