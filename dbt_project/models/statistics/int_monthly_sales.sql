with purchases as (
    select transaction_date, cancelled_date, product_class, gross_amount
    from {{ ref('int_purchases') }}
),

newest as (
    select max(as_of_date) as as_of_date from {{ ref('int_as_of_dates') }}
),

begun as (
    select min(transaction_date) as first_date from purchases
),

-- Whole months only: half a month is no month.
sold as (
    select
        newest.as_of_date,
        {{ month_start('purchases.transaction_date') }} as month,
        coalesce(purchases.product_class, 'unclassified') as product_class,
        purchases.gross_amount
    from purchases
    cross join newest
    cross join begun
    where {{ month_end('purchases.transaction_date') }} <= newest.as_of_date
        and {{ month_start('purchases.transaction_date') }} >= begun.first_date
        and (purchases.cancelled_date is null or purchases.cancelled_date > newest.as_of_date)
),

series as (
    select as_of_date, 'all' as series_kind, 'all' as series, month, gross_amount from sold
    union all
    select as_of_date, 'product_class' as series_kind, product_class as series, month, gross_amount
    from sold
)

select
    as_of_date,
    series_kind,
    series,
    month,
    {{ money('sum(gross_amount)') }} as amount
from series
group by as_of_date, series_kind, series, month
