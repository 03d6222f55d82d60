{%- set bases = ['monetary_total', 'monetary_12m', 'margin_12m'] -%}
with amounts as (
    {%- for basis in bases %}
    select as_of_date, '{{ basis }}' as basis, customer_id, {{ basis }} as amount
    from {{ ref('customer_metrics') }}
    where {{ basis }} > 0
        and as_of_date in (select dates.as_of_date from {{ ref('int_value_dates') }} as dates)
    {{- '
    union all' if not loop.last }}
    {%- endfor %}
),

levels as (
    select customer_percent, label_en, label_zh from {{ ref('pyramid_levels') }}
),

ranked as (
    select
        as_of_date,
        basis,
        row_number() over (
            partition by as_of_date, basis
            order by amount desc nulls last, customer_id asc nulls last
        ) as place,
        sum(amount) over (
            partition by as_of_date, basis
            order by amount desc nulls last, customer_id asc nulls last
            rows between unbounded preceding and current row
        ) as amount_up_to
    from amounts
),

totals as (
    select as_of_date, basis, count(*) as customers, sum(amount) as amount
    from amounts
    group by as_of_date, basis
),

-- The place where a level ends; a part of a customer counts whole.
ends as (
    select
        totals.as_of_date,
        totals.basis,
        totals.amount,
        levels.customer_percent,
        levels.label_en,
        levels.label_zh,
        cast(
            ceil({{ ratio('totals.customers * levels.customer_percent', '100') }}) as bigint
        ) as place
    from totals
    cross join levels
),

cumulated as (
    select
        ends.as_of_date,
        ends.basis,
        ends.customer_percent,
        ends.label_en,
        ends.label_zh,
        ends.place as cumulative_customers,
        ranked.amount_up_to as cumulative_amount,
        ends.amount as amount_total,
        lag(ends.place) over (
            partition by ends.as_of_date, ends.basis
            order by ends.customer_percent asc nulls last
        ) as customers_above,
        lag(ranked.amount_up_to) over (
            partition by ends.as_of_date, ends.basis
            order by ends.customer_percent asc nulls last
        ) as amount_above
    from ends
    inner join ranked
        on ends.as_of_date = ranked.as_of_date
            and ends.basis = ranked.basis
            and ends.place = ranked.place
),

labelled as (
    select
        as_of_date,
        basis,
        customer_percent,
        label_en,
        label_zh,
        cast(cumulative_customers - coalesce(customers_above, 0) as bigint) as customers,
        {{ money('cumulative_amount - coalesce(amount_above, 0)', 4) }} as amount,
        cumulative_customers,
        {{ money('cumulative_amount', 4) }} as cumulative_amount,
        {{ rounded(ratio('cumulative_amount', 'amount_total'), 6) }} as cumulative_share,
        '{{ var("reporting_currency") }}' as currency_code
    from cumulated
)

select * from labelled
