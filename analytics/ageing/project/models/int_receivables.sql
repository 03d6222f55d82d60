select
    receivable_key,
    customer_id,
    'table' as source_system,
    issued_date,
    due_date,
    {{ money('amount') }} as amount,
    currency_code
from read_parquet('{{ var("folder") }}/debts.parquet')
