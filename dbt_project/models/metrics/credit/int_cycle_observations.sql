{{ config(
    pre_hook=[
        "{{ forget_told_again('(select distinct as_of_date from ' ~ ref('int_stale_buckets') ~ ')', false) }}",
        "{{ forget_unasked_dates() }}",
    ],
) }}
-- What the receivable cycle may hang on, per system and as-of date: how much of a year's sales a
-- few customers bring, and how much of the receivables is aged a year or less.
with as_of_dates as (
    select as_of_date, year_starts_after
    from {{ ref('int_as_of_dates') }}
    where as_of_date in (select stale.as_of_date from {{ ref('int_stale_buckets') }} as stale)
),

sales as (
    select
        as_of_dates.as_of_date,
        purchases.source_system,
        purchases.customer_id,
        sum(purchases.gross_amount) as amount
    from {{ ref('int_purchases') }} as purchases
    inner join as_of_dates
        on purchases.transaction_date > as_of_dates.year_starts_after
            and purchases.transaction_date <= as_of_dates.as_of_date
            and (
                purchases.cancelled_date is null
                or purchases.cancelled_date > as_of_dates.as_of_date
            )
    group by as_of_dates.as_of_date, purchases.source_system, purchases.customer_id
),

with_share as (
    select
        as_of_date,
        source_system,
        amount,
        {{ ratio('amount', 'sum(amount) over (partition by as_of_date, source_system)') }} as share,
        row_number() over (
            partition by as_of_date, source_system
            order by amount desc nulls last, customer_id asc nulls last
        ) as size_rank
    from sales
),

concentration as (
    select
        as_of_date,
        source_system,
        sum(amount) as revenue_12m,
        sum(case when size_rank <= 5 then share else 0 end) as top5_share,
        sum(share * share) as herfindahl_index
    from with_share
    group by as_of_date, source_system
),

receivables as (
    select
        as_of_date,
        source_system,
        sum(open_amount_reporting) as receivables_amount,
        sum(case when days_past_due <= 365 then open_amount_reporting else 0 end)
            as within_year_amount
    from {{ ref('int_debt_buckets') }}
    where as_of_date in (select as_of_dates.as_of_date from as_of_dates)
    group by as_of_date, source_system
)

select
    concentration.as_of_date,
    concentration.source_system,
    {{ money('concentration.revenue_12m') }} as revenue_12m,
    {{ money('coalesce(receivables.receivables_amount, 0)') }} as receivables_amount,
    {{ rounded(ratio(
        '365 * coalesce(receivables.receivables_amount, 0)', 'concentration.revenue_12m'
    ), 4) }} as receivable_cycle_days,
    {{ rounded('concentration.top5_share', 6, 9) }} as top5_share,
    {{ rounded('concentration.herfindahl_index', 6, 9) }} as herfindahl_index,
    {{ rounded(ratio('receivables.within_year_amount', 'receivables.receivables_amount'), 6, 9) }}
        as collection_timeliness
from concentration
left join receivables
    on concentration.as_of_date = receivables.as_of_date
        and concentration.source_system = receivables.source_system
