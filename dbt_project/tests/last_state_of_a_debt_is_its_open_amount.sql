-- Told day by day or all at once, a debt ends with the same open amount.
with states as (
    select receivable_key, open_amount
    from {{ ref('int_receivable_states') }}
    where valid_to is null
),

receivables as (
    select receivable_key, open_amount
    from {{ ref('fct_receivables') }}
    where customer_id is not null
)

select
    receivables.receivable_key,
    receivables.open_amount,
    states.open_amount as open_amount_by_day
from receivables
left join states
    on receivables.receivable_key = states.receivable_key
where states.receivable_key is null
    or states.open_amount <> receivables.open_amount
