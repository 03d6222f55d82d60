with months as (
    select * from {{ ref('int_customer_months') }}
),

strategies as (
    select * from {{ ref('concentration_strategies') }}
),

totals as (
    select
        source_system,
        month,
        count(*) as customers,
        sum(gross_amount) as amount,
        sum(cast(gross_amount as double) * cast(gross_amount as double)) as square_sum
    from months
    group by source_system, month
),

ranked as (
    select
        source_system,
        month,
        gross_amount,
        row_number() over (
            partition by source_system, month
            order by gross_amount desc nulls last
        ) as place
    from months
),

-- Apart from the totals: of the largest alone, engines need not sort all.
largest as (
    select source_system, month, sum(gross_amount) as top5_amount
    from ranked
    where place <= 5
    group by source_system, month
),

measured as (
    select
        totals.source_system,
        totals.month,
        totals.customers,
        {{ money('totals.amount', 4) }} as amount,
        {{ money('largest.top5_amount', 4) }} as top5_amount,
        {{ rounded(ratio('largest.top5_amount', 'totals.amount'), 6) }} as top5_share,
        {{ rounded(
            ratio('totals.square_sum', 'cast(totals.amount as double) * totals.amount'), 6
        ) }} as herfindahl_index
    from totals
    inner join largest
        on totals.source_system = largest.source_system
            and totals.month = largest.month
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
