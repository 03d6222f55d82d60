with purchases as (
    select
        customer_id,
        product_class,
        transaction_date,
        coalesce(cancelled_date, cast('9999-12-31' as date)) as void_from
    from {{ ref('int_purchases') }}
    where product_class is not null
),

classes as (
    select
        customer_id,
        product_class,
        void_from,
        min(transaction_date) as transaction_date
    from purchases
    group by customer_id, product_class, void_from
)

select * from classes
