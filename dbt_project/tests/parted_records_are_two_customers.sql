-- Whom a person parted no rule brings together again.
{{ config(group='identity') }}

select
    decisions.left_record_key,
    decisions.right_record_key
from {{ ref('int_identity_decisions') }} as decisions
inner join {{ ref('int_customer_records') }} as left_records
    on decisions.left_record_key = left_records.record_key
inner join {{ ref('int_customer_records') }} as right_records
    on
        decisions.right_record_key = right_records.record_key
        and left_records.customer_id = right_records.customer_id
where decisions.decision = 'must_not_link'
