select
    currency_code as from_currency,
    cast('1900-01-01' as date) as valid_from,
    cast(null as date) as valid_to,
    cast(1 as decimal(18, 6)) as rate
from {{ ref('int_receivables') }}
group by currency_code
