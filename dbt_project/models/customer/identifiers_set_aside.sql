select
    replace(identifier, '_norm', '') as identifier,
    set_aside_reason,
    cast(value_count as bigint) as value_count,
    cast(record_count as bigint) as record_count
from {{ ref('int_identifiers_set_aside') }}
