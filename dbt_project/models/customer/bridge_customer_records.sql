with periods as (

    select * from {{ ref('int_record_periods') }}

),

customer_records as (

    select * from {{ ref('int_customer_records') }}

),

-- A record that was always this customer is so since its source has it.
bridged as (

    select
        periods.record_key,
        customer_records.record_kind,
        periods.customer_id,
        case
            when periods.valid_to is null then customer_records.match_rule
            else periods.match_rule
        end as match_rule,
        case
            when periods.valid_to is null then customer_records.match_probability
            else periods.match_probability
        end as match_probability,
        case
            when periods.period_number > 1 or customer_records.first_seen_date >= periods.valid_to
                then periods.valid_from
            else customer_records.first_seen_date
        end as valid_from,
        periods.valid_to
    from periods
    left join customer_records on periods.record_key = customer_records.record_key

)

select
    split_part(record_key, '|', 1) as source_system,
    substr(record_key, length(split_part(record_key, '|', 1)) + 2) as source_record_id,
    record_kind,
    customer_id,
    match_rule,
    match_probability,
    valid_from,
    valid_to
from bridged
