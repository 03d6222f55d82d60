with assignments as (

    select * from {{ ref('stg_identity__assignments') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by record_key
            order by valid_from desc nulls last
        ) as assignment_rank
    from assignments

)

select
    record_key,
    customer_id,
    valid_from
from ranked
where assignment_rank = 1 and customer_id is not null
