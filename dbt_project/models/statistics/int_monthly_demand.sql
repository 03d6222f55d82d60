with sales as (
    select transaction_date, product_code, quantity
    from {{ ref('fct_transactions') }}
    where transaction_kind = 'sale'
        and product_code is not null
        and quantity > 0
),

newest as (
    select max(as_of_date) as as_of_date from {{ ref('int_as_of_dates') }}
),

begun as (
    select min(transaction_date) as first_date from sales
)

select
    newest.as_of_date,
    sales.product_code,
    {{ month_start('sales.transaction_date') }} as month,
    cast(sum(sales.quantity) as decimal(18, 3)) as quantity
from sales
cross join newest
cross join begun
where {{ month_end('sales.transaction_date') }} <= newest.as_of_date
    and {{ month_start('sales.transaction_date') }} >= begun.first_date
group by newest.as_of_date, sales.product_code, {{ month_start('sales.transaction_date') }}
