{{ config(access='protected') }}

with attribute_values as (

    select * from {{ ref('int_attribute_values') }}

),

survivorship as (

    select * from {{ ref('survivorship') }}

),

counted as (

    select
        attribute_values.*,
        coalesce(survivorship.priority, 99) as priority,
        count(*) over (
            partition by
                attribute_values.customer_id,
                attribute_values.attribute,
                attribute_values.attribute_value
        ) as value_count
    from attribute_values
    left join survivorship
        on
            attribute_values.attribute = survivorship.attribute
            and attribute_values.source_system = survivorship.source_system

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id, attribute
            order by
                priority asc nulls last,
                updated_at desc nulls last,
                value_count desc nulls last,
                record_key asc nulls last
        ) as value_rank
    from counted

)

select
    customer_id,
    attribute,
    attribute_value,
    companion,
    source_system,
    record_key,
    value_count
from ranked
where value_rank = 1
