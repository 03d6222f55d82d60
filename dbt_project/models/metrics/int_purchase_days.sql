with purchases as (
    select * from {{ ref('int_purchase_sets') }}
),

document_days as (
    select
        customer_id,
        purchase_set,
        document_date as purchase_date,
        count(*) as documents,
        count(*) filter (where source_system = 'orders') as orders
    from (
        select distinct
            customer_id, purchase_set, source_system, document_no, document_date
        from purchases
    ) as documents
    group by customer_id, purchase_set, document_date
),

class_days as (
    select customer_id, purchase_set, purchase_date, count(*) as new_product_classes
    from (
        select
            customer_id,
            purchase_set,
            product_class,
            min(transaction_date) as purchase_date
        from purchases
        where product_class is not null
        group by customer_id, purchase_set, product_class
    ) as first_purchases
    group by customer_id, purchase_set, purchase_date
),

purchase_days as (
    select
        customer_id,
        purchase_set,
        only_as_of_date,
        transaction_date as purchase_date,
        sum(gross_amount) as gross_amount,
        sum(discount_rate) as discount_rate_sum,
        count(discount_rate) as discount_rate_count,
        max(source_system) as last_system
    from purchases
    group by customer_id, purchase_set, only_as_of_date, transaction_date
),

with_intervals as (
    select
        purchase_days.customer_id,
        purchase_days.purchase_set,
        purchase_days.only_as_of_date,
        purchase_days.purchase_date,
        purchase_days.gross_amount,
        purchase_days.discount_rate_sum,
        purchase_days.discount_rate_count,
        purchase_days.last_system,
        coalesce(document_days.documents, 0) as documents,
        coalesce(document_days.orders, 0) as orders,
        coalesce(class_days.new_product_classes, 0) as new_product_classes,
        {{ days_between(
            'lag(purchase_days.purchase_date) over ('
            ~ 'partition by purchase_days.customer_id, purchase_days.purchase_set '
            ~ 'order by purchase_days.purchase_date asc nulls last)',
            'purchase_days.purchase_date'
        ) }} as interval_days
    from purchase_days
    left join document_days
        on purchase_days.customer_id = document_days.customer_id
            and purchase_days.purchase_set = document_days.purchase_set
            and purchase_days.purchase_date = document_days.purchase_date
    left join class_days
        on purchase_days.customer_id = class_days.customer_id
            and purchase_days.purchase_set = class_days.purchase_set
            and purchase_days.purchase_date = class_days.purchase_date
)

select * from with_intervals
