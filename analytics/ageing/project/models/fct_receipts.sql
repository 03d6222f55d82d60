-- One payment per row of the table that tells a day of settlement.
select
    receivable_key as receipt_key,
    receivable_key,
    customer_id,
    'table' as source_system,
    {{ money('paid_amount') }} as amount,
    currency_code,
    settled_date as paid_at,
    settled_date as paid_date,
    settled_date,
    cast(null as date) as reversed_date
from read_parquet('{{ var("folder") }}/debts.parquet')
where settled_date is not null
