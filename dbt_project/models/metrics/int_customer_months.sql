with newest as (
    select max(as_of_date) as as_of_date from {{ ref('int_as_of_dates') }}
),

months as (
    select
        purchases.customer_id,
        purchases.source_system,
        {{ month_start('purchases.transaction_date') }} as month,
        {{ money('sum(purchases.gross_amount)', 4) }} as gross_amount,
        {{ money('sum(purchases.margin_amount)', 4) }} as margin_amount
    from {{ ref('int_purchases') }} as purchases
    inner join newest
        on purchases.transaction_date <= newest.as_of_date
            and (
                purchases.cancelled_date is null
                or purchases.cancelled_date > newest.as_of_date
            )
    group by
        purchases.customer_id,
        purchases.source_system,
        {{ month_start('purchases.transaction_date') }}
)

select * from months
