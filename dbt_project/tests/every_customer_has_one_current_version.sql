-- The snapshot's open rows are the customers that readers are told of now, each once.
with current_versions as (
    select customer_id, count(*) as open_rows
    from {{ ref('customer_attributes') }}
    where valid_to is null
    group by customer_id
),

customers as (
    select customer_id from {{ ref('dim_customers') }}
)

select
    customers.customer_id,
    current_versions.customer_id as version_of,
    current_versions.open_rows
from customers
full outer join current_versions
    on customers.customer_id = current_versions.customer_id
where customers.customer_id is null
    or current_versions.customer_id is null
    or current_versions.open_rows > 1
