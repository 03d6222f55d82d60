with clusters as (
    select * from {{ source('analytics', 'customer_clusters') }}
),

typed as (
    select
        as_of_date,
        customer_id,
        cluster_no,
        cluster_traits,
        cast(distance as decimal(18, 6)) as distance
    from clusters
)

select * from typed
