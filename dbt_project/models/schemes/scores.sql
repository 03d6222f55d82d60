with points as (
    select * from {{ ref('int_scheme_points') }}
),

-- No row: it says the types, and holds where no scheme is in force.
classified as (
    select
        as_of_date,
        cast(null as {{ text_type() }}) as scheme,
        customer_id,
        cast(null as decimal(9, 4)) as score,
        cast(null as {{ text_type() }}) as class_code,
        cast(null as integer) as class_rank,
        cast(null as integer) as version,
        cast(null as {{ text_type() }}) as weakest_indicator
    from points
    where 1 = 0
    {%- for one in scheme_plan() %}
    union all
    select
        as_of_date,
        '{{ one.scheme }}' as scheme,
        customer_id,
        {{ one.name }}__score as score,
        {{ one.name }}__class as class_code,
        {{ one.name }}__class_rank as class_rank,
        {{ one.version }} as version,
        {{ weakest_indicator(one) }} as weakest_indicator
    from points
    where {{ one.name }}__score is not null
    {%- endfor %}
)

select * from classified
