{{ config(access='protected') }}

-- Earlier assignments end where the next one begins; one that began and ended on the same day was
-- never seen by a reader.
with assignments as (

    select record_key, valid_from, customer_id, match_rule, match_probability
    from {{ ref('stg_identity__assignments') }}

),

new_assignments as (

    select record_key, valid_from, customer_id, match_rule, match_probability
    from {{ ref('int_new_assignments') }}

),

kept_assignments as (

    select assignments.*
    from assignments
    left join new_assignments
        on
            assignments.record_key = new_assignments.record_key
            and assignments.valid_from = new_assignments.valid_from
    where new_assignments.record_key is null

),

all_assignments as (

    select * from kept_assignments
    union all
    select * from new_assignments

),

periods as (

    select
        *,
        row_number() over (
            partition by record_key
            order by valid_from asc nulls last
        ) as period_number,
        lead(valid_from) over (
            partition by record_key
            order by valid_from asc nulls last
        ) as valid_to
    from all_assignments

)

select
    record_key,
    period_number,
    customer_id,
    match_rule,
    match_probability,
    valid_from,
    valid_to
from periods
where customer_id is not null
