-- A customer under two valid identity numbers is two: the weakest edges between them are cut,
-- unless a person said that both numbers are one person's.
{{ config(group='identity') }}

select
    clusters.cluster_key,
    count(distinct numbers.number_key) as identity_number_count
from {{ ref('int_record_numbers') }} as numbers
inner join {{ ref('int_clusters') }} as clusters on numbers.age_key = clusters.age_key
group by clusters.cluster_key
having count(distinct numbers.number_key) > 1
