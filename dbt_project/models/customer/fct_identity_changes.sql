select
    change_key,
    changed_on,
    change_kind,
    rule,
    customer_id_before,
    customer_id_after,
    records_moved,
    records_before
from {{ ref('int_identity_changes') }}
