-- Cancellations that the days of purchase which now stand were told from; written after them.
-- depends_on: {{ ref('int_purchase_days') }}
select distinct customer_id, transaction_date, cancelled_date
from {{ ref('int_purchases') }}
where cancelled_date is not null
