-- Debts by the month they were issued, followed month by month: what was settled, written off, and
-- what had ever been in default by then.
with receivables as (
    select
        receivables.receivable_key,
        receivables.source_system,
        {{ month_start('receivables.issued_date') }} as vintage_month,
        receivables.amount * exchange_rates.rate as amount,
        exchange_rates.rate
    from {{ ref('fct_receivables') }} as receivables
    left join {{ ref('int_exchange_rates') }} as exchange_rates
        on receivables.currency_code = exchange_rates.from_currency
            and receivables.issued_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or receivables.issued_date < exchange_rates.valid_to
            )
    where receivables.customer_id is not null
),

changes as (
    select
        receivables.source_system,
        receivables.vintage_month,
        {{ month_start('movements.movement_date') }} as month,
        movements.paid_change * receivables.rate as settled_amount,
        movements.written_off_change * receivables.rate as written_off_amount,
        0 as defaulted_amount
    from {{ ref('int_receivable_movements') }} as movements
    inner join receivables
        on movements.receivable_key = receivables.receivable_key
    where movements.movement_date <= {{ newest_as_of_date() }}
    union all
    select
        receivables.source_system,
        receivables.vintage_month,
        {{ month_start('defaults.default_date') }} as month,
        0 as settled_amount,
        0 as written_off_amount,
        receivables.amount as defaulted_amount
    from {{ ref('int_debt_defaults') }} as defaults
    inner join receivables
        on defaults.receivable_key = receivables.receivable_key
),

by_month as (
    select
        source_system,
        vintage_month,
        month,
        sum(settled_amount) as settled_amount,
        sum(written_off_amount) as written_off_amount,
        sum(defaulted_amount) as defaulted_amount
    from changes
    group by source_system, vintage_month, month
),

sizes as (
    select source_system, vintage_month, count(*) as debts, sum(amount) as issued_amount
    from receivables
    group by source_system, vintage_month
),

ages as (
    {% for age in range(var('vintage_months') | int + 1) -%}
    select {{ age }} as months_on_book{{ ' union all' if not loop.last }}
    {% endfor %}
),

points as (
    select
        sizes.source_system,
        sizes.vintage_month,
        ages.months_on_book,
        sizes.debts,
        sizes.issued_amount,
        {{ add_months('sizes.vintage_month', 'ages.months_on_book') }} as month
    from sizes
    cross join ages
    where {{ add_months('sizes.vintage_month', 'ages.months_on_book') }}
        <= {{ month_start(newest_as_of_date()) }}
),

followed as (
    select
        points.source_system,
        points.vintage_month,
        points.months_on_book,
        points.debts,
        points.issued_amount,
        coalesce(sum(by_month.settled_amount), 0) as settled_amount,
        coalesce(sum(by_month.written_off_amount), 0) as written_off_amount,
        coalesce(sum(by_month.defaulted_amount), 0) as defaulted_amount
    from points
    left join by_month
        on points.source_system = by_month.source_system
            and points.vintage_month = by_month.vintage_month
            and by_month.month <= points.month
    group by
        points.source_system,
        points.vintage_month,
        points.months_on_book,
        points.debts,
        points.issued_amount
)

select
    vintage_month,
    source_system,
    cast(months_on_book as integer) as months_on_book,
    debts,
    {{ money('issued_amount') }} as issued_amount,
    {{ money('settled_amount') }} as settled_amount,
    {{ money('written_off_amount') }} as written_off_amount,
    {{ money('defaulted_amount') }} as defaulted_amount,
    {{ rounded(ratio('settled_amount', 'issued_amount'), 6) }} as settled_share,
    {{ rounded(ratio('defaulted_amount', 'issued_amount'), 6) }} as default_share,
    '{{ var("reporting_currency") }}' as currency_code
from followed
