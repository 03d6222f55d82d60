select
    customer_id,
    redirected_to,
    valid_from
from {{ ref('int_redirects') }}
where redirected_to is not null
