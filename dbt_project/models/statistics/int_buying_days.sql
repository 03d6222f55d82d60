with purchases as (
    select customer_id, transaction_date, cancelled_date, product_class, gross_amount
    from {{ ref('int_purchases') }}
),

contract_classes as (
    select product_class from {{ ref('contract_product_classes') }}
),

newest as (
    select max(as_of_date) as as_of_date from {{ ref('int_as_of_dates') }}
),

buying_days as (
    select
        newest.as_of_date,
        purchases.customer_id,
        purchases.transaction_date as purchase_date,
        {{ money('sum(purchases.gross_amount)', 4) }} as gross_amount
    from purchases
    cross join newest
    left join contract_classes
        on purchases.product_class = contract_classes.product_class
    where contract_classes.product_class is null
        and purchases.transaction_date <= newest.as_of_date
        and (purchases.cancelled_date is null or purchases.cancelled_date > newest.as_of_date)
    group by newest.as_of_date, purchases.customer_id, purchases.transaction_date
)

select * from buying_days
