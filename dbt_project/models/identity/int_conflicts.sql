with components as (

    select * from {{ ref('int_components') }}

),

numbers as (

    select age_key, number_key from {{ ref('int_record_numbers') }}

),

partings as (

    select left_age_key, right_age_key from {{ ref('int_identity_decisions') }}
    where decision = 'must_not_link'

),

partings_inside as (

    select
        left_components.component,
        count(*) as parting_count
    from partings
    inner join components as left_components
        on partings.left_age_key = left_components.node
    inner join components as right_components
        on
            partings.right_age_key = right_components.node
            and left_components.component = right_components.component
    group by left_components.component

),

counted as (

    select
        components.component,
        count(*) as record_count,
        count(distinct numbers.number_key) as number_count
    from components
    left join numbers on components.node = numbers.age_key
    group by components.component

)

select
    counted.component,
    counted.record_count,
    counted.number_count,
    coalesce(partings_inside.parting_count, 0) as parting_count
from counted
left join partings_inside on counted.component = partings_inside.component
where counted.number_count > 1 or partings_inside.parting_count > 0
