with purchases as (
    select
        customer_id,
        source_system,
        document_no,
        transaction_date,
        document_date,
        cancelled_date,
        gross_amount,
        margin_amount
    from {{ ref('int_purchases') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

amounts as (
    select
        as_of_dates.as_of_date,
        purchases.customer_id,
        sum(purchases.gross_amount) filter (
            where purchases.transaction_date > as_of_dates.year_starts_after
        ) as monetary_12m,
        sum(purchases.gross_amount) filter (
            where purchases.transaction_date <= as_of_dates.year_starts_after
        ) as monetary_previous_12m,
        sum(purchases.margin_amount) filter (
            where purchases.transaction_date > as_of_dates.year_starts_after
        ) as margin_12m,
        sum(purchases.gross_amount) filter (
            where purchases.transaction_date > as_of_dates.year_starts_after
            and purchases.margin_amount is not null
        ) as gross_with_known_margin_12m
    from purchases
    inner join as_of_dates
        on purchases.transaction_date > as_of_dates.two_years_start_after
            and purchases.transaction_date <= as_of_dates.as_of_date
            and (
                purchases.cancelled_date is null
                or purchases.cancelled_date > as_of_dates.as_of_date
            )
    group by as_of_dates.as_of_date, purchases.customer_id
),

document_counts as (
    select
        as_of_dates.as_of_date,
        purchases.customer_id,
        count(distinct purchases.source_system || '|' || purchases.document_no)
            as frequency_12m,
        count(distinct purchases.document_no) filter (
            where purchases.source_system = 'orders'
        ) as order_count_12m
    from purchases
    inner join as_of_dates
        on purchases.document_date > as_of_dates.year_starts_after
            and purchases.transaction_date <= as_of_dates.as_of_date
            and (
                purchases.cancelled_date is null
                or purchases.cancelled_date > as_of_dates.as_of_date
            )
    group by as_of_dates.as_of_date, purchases.customer_id
),

joined as (
    select
        amounts.as_of_date,
        amounts.customer_id,
        document_counts.frequency_12m,
        document_counts.order_count_12m,
        amounts.monetary_12m,
        amounts.monetary_previous_12m,
        amounts.margin_12m,
        amounts.gross_with_known_margin_12m
    from amounts
    left join document_counts
        on amounts.as_of_date = document_counts.as_of_date
            and amounts.customer_id = document_counts.customer_id
)

select * from joined
