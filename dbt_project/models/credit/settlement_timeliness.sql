-- What the firm owes comes with the finance source: payables stay empty until then, never zero.
with observations as (
    select * from {{ ref('int_cycle_observations') }}
)

select
    as_of_date,
    source_system,
    receivables_amount,
    collection_timeliness,
    cast(null as decimal(9, 6)) as payment_timeliness,
    'payables come with the finance source' as payment_timeliness_note,
    '{{ var("reporting_currency") }}' as currency_code
from observations
