-- What parts records from the customer they were: a person's word, or another identity number.
with moved_records as (

    select * from {{ ref('int_moved_records') }}
    where customer_id_after is not null

),

previous_customers as (

    select record_key, customer_id from {{ ref('int_previous_customers') }}

),

customer_records as (

    select record_key, customer_id from {{ ref('int_customer_records') }}

),

decisions as (

    select left_record_key as record_key, right_record_key as other_key
    from {{ ref('int_identity_decisions') }}
    where decision = 'must_not_link'
    union all
    select right_record_key as record_key, left_record_key as other_key
    from {{ ref('int_identity_decisions') }}
    where decision = 'must_not_link'

),

numbers as (

    select distinct customer_records.customer_id, numbers.number_key
    from {{ ref('int_record_numbers') }} as numbers
    inner join customer_records on numbers.record_key = customer_records.record_key

),

partings as (

    select
        moved_records.customer_id_before,
        moved_records.customer_id_after,
        'must_not_link' as parted_by
    from moved_records
    inner join decisions on moved_records.record_key = decisions.record_key
    inner join previous_customers
        on
            decisions.other_key = previous_customers.record_key
            and moved_records.customer_id_before = previous_customers.customer_id

    union

    select
        moved_records.customer_id_before,
        moved_records.customer_id_after,
        'two_identity_numbers' as parted_by
    from moved_records
    inner join numbers as numbers_before
        on moved_records.customer_id_before = numbers_before.customer_id
    inner join numbers as numbers_after
        on
            moved_records.customer_id_after = numbers_after.customer_id
            and numbers_before.number_key <> numbers_after.number_key

)

select
    customer_id_before,
    customer_id_after,
    min(parted_by) as parted_by
from partings
group by customer_id_before, customer_id_after
