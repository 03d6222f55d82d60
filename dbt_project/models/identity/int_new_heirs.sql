-- Where an id leads that no cluster bears any more: to the customer that most of its records are
-- now, of equal parts to that of the oldest.
with moved_records as (

    select * from {{ ref('int_moved_records') }}
    where customer_id_after is not null

),

current_customers as (

    select distinct customer_id from {{ ref('int_customer_records') }}

),

parts as (

    select
        moved_records.customer_id_before,
        moved_records.customer_id_after,
        count(*) as record_count,
        min(moved_records.age_key) as oldest_age_key
    from moved_records
    left join current_customers
        on moved_records.customer_id_before = current_customers.customer_id
    where current_customers.customer_id is null
    group by moved_records.customer_id_before, moved_records.customer_id_after

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id_before
            order by record_count desc nulls last, oldest_age_key asc nulls last
        ) as part_rank
    from parts

)

select
    customer_id_before,
    customer_id_after
from ranked
where part_rank = 1
