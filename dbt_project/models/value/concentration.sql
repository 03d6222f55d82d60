with months as (
    select * from {{ ref('int_customer_months') }}
),

strategies as (
    select * from {{ ref('concentration_strategies') }}
),

ranked as (
    select
        source_system,
        month,
        gross_amount,
        row_number() over (
            partition by source_system, month
            order by gross_amount desc nulls last, customer_id asc nulls last
        ) as place
    from months
),

totals as (
    select
        source_system,
        month,
        count(*) as customers,
        sum(gross_amount) as amount,
        sum(case when place <= 5 then gross_amount else 0 end) as top5_amount,
        sum(cast(gross_amount as double) * cast(gross_amount as double)) as square_sum
    from ranked
    group by source_system, month
),

measured as (
    select
        source_system,
        month,
        customers,
        {{ money('amount', 4) }} as amount,
        {{ money('top5_amount', 4) }} as top5_amount,
        {{ rounded(ratio('top5_amount', 'amount'), 6) }} as top5_share,
        {{ rounded(ratio('square_sum', 'cast(amount as double) * amount'), 6) }} as herfindahl_index
    from totals
),

advised as (
    select
        measured.source_system,
        measured.month,
        measured.customers,
        measured.amount,
        measured.top5_amount,
        measured.top5_share,
        cast(measured.top5_share * measured.top5_share as decimal(18, 6)) as top5_share_squared,
        measured.herfindahl_index,
        strategies.concentration_level,
        strategies.strategy_en,
        strategies.strategy_zh,
        '{{ var("reporting_currency") }}' as currency_code
    from measured
    inner join strategies
        on (strategies.lower is null or measured.top5_share >= strategies.lower)
            and (strategies.upper is null or measured.top5_share < strategies.upper)
)

select * from advised
