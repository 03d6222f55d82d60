with purchases as (
    select * from {{ ref('int_purchase_sets') }}
),

lines as (
    select
        customer_id,
        purchase_set,
        only_as_of_date,
        transaction_date as purchase_date,
        sum(gross_amount) as gross_amount,
        sum(margin_amount) as margin_amount,
        sum(case when margin_amount is not null then gross_amount end)
            as gross_with_known_margin,
        sum(discount_rate) as discount_rate_sum,
        count(discount_rate) as discount_rate_count,
        max(source_system) as last_system
    from purchases
    group by customer_id, purchase_set, only_as_of_date, transaction_date
),

-- A document, and a class of product, counts on the day of its first line.
documents as (
    select
        customer_id,
        purchase_set,
        only_as_of_date,
        source_system,
        document_no,
        min(transaction_date) as purchase_date
    from purchases
    group by customer_id, purchase_set, only_as_of_date, source_system, document_no
),

classes as (
    select
        customer_id,
        purchase_set,
        only_as_of_date,
        product_class,
        min(transaction_date) as purchase_date
    from purchases
    where product_class is not null
    group by customer_id, purchase_set, only_as_of_date, product_class
),

parts as (
    select
        customer_id,
        purchase_set,
        only_as_of_date,
        purchase_date,
        gross_amount,
        margin_amount,
        gross_with_known_margin,
        discount_rate_sum,
        discount_rate_count,
        last_system,
        0 as documents,
        0 as orders,
        0 as new_product_classes
    from lines
    union all
    select
        customer_id,
        purchase_set,
        only_as_of_date,
        purchase_date,
        null, null, null, null, null, null,
        1,
        case when source_system = 'orders' then 1 else 0 end,
        0
    from documents
    union all
    select
        customer_id, purchase_set, only_as_of_date, purchase_date,
        null, null, null, null, null, null, 0, 0, 1
    from classes
),

purchase_days as (
    select
        customer_id,
        purchase_set,
        only_as_of_date,
        purchase_date,
        sum(gross_amount) as gross_amount,
        sum(margin_amount) as margin_amount,
        sum(gross_with_known_margin) as gross_with_known_margin,
        sum(discount_rate_sum) as discount_rate_sum,
        sum(discount_rate_count) as discount_rate_count,
        max(last_system) as last_system,
        sum(documents) as documents,
        sum(orders) as orders,
        sum(new_product_classes) as new_product_classes
    from parts
    group by customer_id, purchase_set, only_as_of_date, purchase_date
),

with_intervals as (
    select
        purchase_days.*,
        {{ days_between(
            'lag(purchase_date) over ('
            ~ 'partition by customer_id, purchase_set order by purchase_date asc nulls last)',
            'purchase_date'
        ) }} as interval_days
    from purchase_days
)

select * from with_intervals
