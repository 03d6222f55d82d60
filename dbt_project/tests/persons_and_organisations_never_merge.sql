select customer_id
from {{ ref('int_customer_records') }}
group by customer_id
having count(distinct party_kind) > 1
