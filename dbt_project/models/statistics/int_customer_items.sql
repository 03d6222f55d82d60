with sales as (
    select customer_id, transaction_date, product_code, product_class
    from {{ ref('fct_transactions') }}
    where transaction_kind = 'sale'
        and gross_amount > 0
        and customer_id is not null
        -- metered supply and hospital care name no product: nothing to offer, nothing to tell
        and product_code is not null
),

newest as (
    select max(as_of_date) as as_of_date from {{ ref('int_as_of_dates') }}
),

held_out as (
    select {{ add_months('newest.as_of_date', '0 - model_settings.value') }} as after_date
    from newest
    cross join {{ ref('model_settings') }} as model_settings
    where model_settings.setting = 'holdout_months'
),

items as (
    select 'product' as item_level, customer_id, product_code as item, transaction_date from sales
    union all
    select 'product_class' as item_level, customer_id, product_class as item, transaction_date
    from sales
    where product_class is not null
),

first_purchases as (
    select
        items.item_level,
        items.customer_id,
        items.item,
        min(items.transaction_date) as first_date
    from items
    inner join newest
        on items.transaction_date <= newest.as_of_date
    group by items.item_level, items.customer_id, items.item
)

select
    first_purchases.item_level,
    first_purchases.customer_id,
    first_purchases.item,
    first_purchases.first_date > held_out.after_date as is_held_out
from first_purchases
cross join held_out
