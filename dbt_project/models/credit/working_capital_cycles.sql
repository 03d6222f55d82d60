with observations as (
    select * from {{ ref('int_cycle_observations') }}
),

strategies as (
    select * from {{ ref('concentration_strategies') }}
)

select
    observations.as_of_date,
    observations.source_system,
    observations.revenue_12m,
    observations.receivables_amount,
    observations.receivable_cycle_days,
    cast(null as decimal(18, 4)) as inventory_cycle_days,
    cast(null as decimal(18, 4)) as payable_cycle_days,
    cast(null as decimal(18, 4)) as channel_cycle_days,
    'inventory, payables and channel stocks come with the finance source' as other_cycles_note,
    observations.top5_share,
    observations.herfindahl_index,
    observations.collection_timeliness,
    strategies.concentration_level,
    strategies.strategy_en,
    strategies.strategy_zh,
    '{{ var("reporting_currency") }}' as currency_code
from observations
left join strategies
    on (strategies.lower is null or observations.top5_share >= strategies.lower)
        and (strategies.upper is null or observations.top5_share < strategies.upper)
