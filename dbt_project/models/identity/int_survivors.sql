{{ config(access='protected') }}

with attribute_values as (

    select * from {{ ref('int_attribute_values') }}

),

survivorship as (

    select * from {{ ref('survivorship') }}

),

survivorship_order as (

    select * from {{ ref('survivorship_order') }}

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

-- the place of each value by each criterion; the seed says which one counts first
placed as (

    select
        *,
        dense_rank() over (
            partition by customer_id, attribute order by priority asc nulls last
        ) as priority_place,
        dense_rank() over (
            partition by customer_id, attribute order by updated_at desc nulls last
        ) as recency_place,
        dense_rank() over (
            partition by customer_id, attribute order by value_count desc nulls last
        ) as frequency_place
    from counted

),

ranked as (

    select
        placed.*,
        row_number() over (
            partition by placed.customer_id, placed.attribute
            order by
                {% for criterion in ['first_by', 'second_by', 'third_by'] %}
                case survivorship_order.{{ criterion }}
                    when 'priority' then placed.priority_place
                    when 'recency' then placed.recency_place
                    else placed.frequency_place
                end asc nulls last,
                {% endfor %}
                placed.record_key asc nulls last
        ) as value_rank
    from placed
    left join survivorship_order on placed.attribute = survivorship_order.attribute

)

select
    customer_id,
    attribute,
    attribute_value,
    companion,
    source_system,
    record_key,
    updated_at,
    value_count
from ranked
where value_rank = 1
