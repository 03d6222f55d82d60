-- Debts by the month they were issued, followed month by month: what was settled, written off, and
-- what had ever been in default by then.
-- First summed by day of issue, so that the rates are joined to few rows.
with receivables as (
    select receivable_key, source_system, currency_code, issued_date, amount
    from {{ ref('fct_receivables') }}
    where customer_id is not null
),

issued as (
    select
        source_system,
        currency_code,
        issued_date,
        count(*) as debts,
        {{ money('sum(amount)') }} as issued_amount
    from receivables
    group by source_system, currency_code, issued_date
),

followed_by_day as (
    select
        source_system,
        currency_code,
        issued_date,
        {{ month_start('movement_date') }} as month,
        {{ money('sum(paid_change)') }} as settled_amount,
        {{ money('sum(written_off_change)') }} as written_off_amount,
        {{ money('0') }} as defaulted_amount
    from {{ ref('int_receivable_movements') }}
    where movement_date <= {{ newest_as_of_date() }}
    group by source_system, currency_code, issued_date, {{ month_start('movement_date') }}
    union all
    select
        receivables.source_system,
        receivables.currency_code,
        receivables.issued_date,
        {{ month_start('defaults.default_date') }} as month,
        {{ money('0') }} as settled_amount,
        {{ money('0') }} as written_off_amount,
        {{ money('sum(receivables.amount)') }} as defaulted_amount
    from {{ ref('int_debt_defaults') }} as defaults
    inner join receivables
        on defaults.receivable_key = receivables.receivable_key
    group by
        receivables.source_system,
        receivables.currency_code,
        receivables.issued_date,
        {{ month_start('defaults.default_date') }}
),

rates as (
    select issued.currency_code, issued.issued_date, exchange_rates.rate
    from (select distinct currency_code, issued_date from issued) as issued
    inner join {{ ref('int_exchange_rates') }} as exchange_rates
        on issued.currency_code = exchange_rates.from_currency
            and issued.issued_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or issued.issued_date < exchange_rates.valid_to
            )
),

by_month as (
    select
        by_day.source_system,
        {{ month_start('by_day.issued_date') }} as vintage_month,
        by_day.month,
        sum(by_day.settled_amount * rates.rate) as settled_amount,
        sum(by_day.written_off_amount * rates.rate) as written_off_amount,
        sum(by_day.defaulted_amount * rates.rate) as defaulted_amount
    from followed_by_day as by_day
    inner join rates
        on by_day.currency_code = rates.currency_code
            and by_day.issued_date = rates.issued_date
    group by by_day.source_system, {{ month_start('by_day.issued_date') }}, by_day.month
),

sizes as (
    select
        issued.source_system,
        {{ month_start('issued.issued_date') }} as vintage_month,
        cast(sum(issued.debts) as bigint) as debts,
        sum(issued.issued_amount * rates.rate) as issued_amount
    from issued
    left join rates
        on issued.currency_code = rates.currency_code
            and issued.issued_date = rates.issued_date
    group by issued.source_system, {{ month_start('issued.issued_date') }}
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
