-- Bands are given to customers with a purchase, to all of them and to nobody else.
with buyers as (
    select as_of_date, customer_id
    from {{ ref('customer_metrics') }}
    where frequency_total > 0
),

rfm as (
    select as_of_date, customer_id from {{ ref('rfm') }}
)

select
    coalesce(buyers.as_of_date, rfm.as_of_date) as as_of_date,
    coalesce(buyers.customer_id, rfm.customer_id) as customer_id
from buyers
full outer join rfm
    on buyers.as_of_date = rfm.as_of_date
        and buyers.customer_id = rfm.customer_id
where buyers.customer_id is null or rfm.customer_id is null
