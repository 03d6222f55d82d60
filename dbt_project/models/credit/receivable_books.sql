with books as (
    select * from {{ ref('int_receivable_books') }}
)

select
    month,
    customer_id,
    source_system,
    opening_amount,
    issued_amount,
    adjusted_amount,
    settled_amount,
    written_off_amount,
    closing_amount,
    currency_code
from books
