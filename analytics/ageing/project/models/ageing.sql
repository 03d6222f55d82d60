{{ config(
    materialized='external', location=var('folder') ~ '/ageing.parquet'
) }}
select as_of_date, customer_id, bucket, bucket_rank, open_count, open_amount, currency_code
from {{ ref('receivables_ageing') }}
order by as_of_date, customer_id, currency_code, bucket_rank
