with review_pairs as (

    select * from {{ ref('int_review_pairs') }}

),

transactions as (

    select customer_id, currency_code, transaction_kind, gross_amount
    from {{ ref('fct_transactions') }}

),

receivables as (

    select customer_id, currency_code, open_amount from {{ ref('fct_receivables') }}

),

rates as (

    select from_currency, rate
    from {{ ref('dim_exchange_rates') }}
    where
        to_currency = '{{ var("reporting_currency") }}'
        and valid_from <= {{ newest_as_of_date() }}
        and coalesce(valid_to > {{ newest_as_of_date() }}, true)

),

money as (

    select customer_id, currency_code, gross_amount as amount from transactions
    where transaction_kind = 'sale'
    union all
    select customer_id, currency_code, open_amount as amount from receivables

),

amounts as (

    select
        money.customer_id,
        {{ money('sum(money.amount * rates.rate)') }} as amount
    from money
    inner join rates on money.currency_code = rates.from_currency
    group by money.customer_id

),

valued as (

    select
        review_pairs.*,
        {{ money('coalesce(left_amounts.amount, 0) + coalesce(right_amounts.amount, 0)') }}
            as amount_at_stake
    from review_pairs
    left join amounts as left_amounts
        on review_pairs.left_customer_id = left_amounts.customer_id
    left join amounts as right_amounts
        on review_pairs.right_customer_id = right_amounts.customer_id

)

select
    cast(
        row_number() over (
            order by
                amount_at_stake desc nulls last,
                match_probability desc nulls last,
                left_record_key asc nulls last,
                right_record_key asc nulls last
        ) as bigint
    ) as review_rank,
    split_part(left_record_key, '|', 1) as left_source_system,
    substr(left_record_key, length(split_part(left_record_key, '|', 1)) + 2)
        as left_source_record_id,
    split_part(right_record_key, '|', 1) as right_source_system,
    substr(right_record_key, length(split_part(right_record_key, '|', 1)) + 2)
        as right_source_record_id,
    left_customer_id,
    right_customer_id,
    party_kind as customer_type,
    review_reason,
    match_probability,
    amount_at_stake,
    '{{ var("reporting_currency") }}' as currency_code
from valued
