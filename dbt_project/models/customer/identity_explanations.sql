with evidence as (

    select * from {{ ref('int_pair_evidence') }}

)

select
    customer_id,
    split_part(left_record_key, '|', 1) as left_source_system,
    substr(left_record_key, length(split_part(left_record_key, '|', 1)) + 2)
        as left_source_record_id,
    split_part(right_record_key, '|', 1) as right_source_system,
    substr(right_record_key, length(split_part(right_record_key, '|', 1)) + 2)
        as right_source_record_id,
    match_rule,
    match_probability,
    comparison,
    agreement,
    weight,
    case
        when weight < 0 then 'against'
        when weight = 0 then 'neither'
        else 'for'
    end as speaks,
    sentence
from evidence
