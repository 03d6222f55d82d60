with clusters as (

    select * from {{ ref('int_clusters') }}

),

previous_customers as (

    select record_key, customer_id from {{ ref('int_previous_customers') }}

),

shared_records as (

    select
        clusters.cluster_key,
        previous_customers.customer_id,
        count(*) as record_count,
        min(clusters.age_key) as oldest_age_key
    from clusters
    inner join previous_customers on clusters.record_key = previous_customers.record_key
    group by clusters.cluster_key, previous_customers.customer_id

),

-- An id goes on with the larger part of its records, of equal parts with the oldest record.
heirs as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by record_count desc nulls last, oldest_age_key asc nulls last
        ) as part_rank
    from shared_records

),

-- Of several ids that come together the one of the oldest record stays.
kept as (

    select
        *,
        row_number() over (
            partition by cluster_key
            order by oldest_age_key asc nulls last
        ) as id_rank
    from heirs
    where part_rank = 1

),

kept_ids as (

    select cluster_key, customer_id
    from kept
    where id_rank = 1

),

-- A cluster without an id is named after its oldest record whose name no other cluster bears.
names as (

    select
        clusters.cluster_key,
        clusters.age_key,
        md5(clusters.record_key) as customer_id
    from clusters
    left join kept_ids on clusters.cluster_key = kept_ids.cluster_key
    where kept_ids.cluster_key is null

),

ranked_names as (

    select
        names.cluster_key,
        names.customer_id,
        kept_ids.customer_id is null as is_free,
        row_number() over (
            partition by names.cluster_key
            order by kept_ids.customer_id asc nulls first, names.age_key asc nulls last
        ) as name_rank
    from names
    left join kept_ids on names.customer_id = kept_ids.customer_id

)

select cluster_key, customer_id from kept_ids

union all

select
    cluster_key,
    case
        when is_free then customer_id
        else md5(cluster_key || '|' || cast({{ newest_as_of_date() }} as {{ text_type() }}))
    end as customer_id
from ranked_names
where name_rank = 1
