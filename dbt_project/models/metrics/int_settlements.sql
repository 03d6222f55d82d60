{{ config(materialized='view') }}
-- Money that came in before the debt was issued counts from the day of issue.
select
    allocations.receipt_key,
    allocations.receivable_key,
    receivables.customer_id,
    allocations.allocated_amount,
    greatest(allocations.settled_date, receivables.issued_date) as counted_from,
    case
        when allocations.reversed_date is not null
            then greatest(
                    allocations.settled_date, allocations.reversed_date, receivables.issued_date
                )
    end as counted_until
from {{ ref('fct_receipt_allocations') }} as allocations
inner join {{ ref('fct_receivables') }} as receivables
    on allocations.receivable_key = receivables.receivable_key
where allocations.settled_date is not null
