with rolled as (
    select
        month,
        as_of_date,
        source_system,
        from_bucket,
        from_rank,
        currency_code,
        sum(debts) as debts,
        sum(case when direction = 'cured' then debts else 0 end) as cured_debts,
        sum(amount) as amount,
        sum(case when direction = 'cured' then amount else 0 end) as cured_amount
    from {{ ref('roll_rates') }}
    where from_bucket <> 'not due'
    group by month, as_of_date, source_system, from_bucket, from_rank, currency_code
)

select
    month,
    as_of_date,
    source_system,
    from_bucket as bucket,
    from_rank as bucket_rank,
    cast(debts as bigint) as debts,
    cast(cured_debts as bigint) as cured_debts,
    {{ money('amount') }} as overdue_amount,
    {{ money('cured_amount') }} as cured_amount,
    {{ rounded(ratio('cured_amount', 'amount'), 6) }} as cure_rate,
    currency_code
from rolled
