-- The books carried month by month end, at every month end that is known, at what the debts' own
-- states say: due less paid less written off.
with month_ends as (
    select as_of_date from {{ ref('int_as_of_dates') }}
    where as_of_date = {{ month_end('as_of_date') }}
),

states as (
    select
        month_ends.as_of_date,
        states.customer_id,
        states.source_system,
        states.currency_code,
        sum(states.due_amount - states.paid_amount - states.written_off_amount) as balance
    from {{ ref('int_receivable_states') }} as states
    inner join month_ends
        on states.valid_from <= month_ends.as_of_date
            and (states.valid_to is null or states.valid_to > month_ends.as_of_date)
    group by
        month_ends.as_of_date, states.customer_id, states.source_system, states.currency_code
),

books as (
    select
        month_ends.as_of_date,
        books.customer_id,
        books.source_system,
        books.currency_code,
        sum(
            books.issued_amount
            + books.adjusted_amount
            - books.settled_amount
            - books.written_off_amount
        ) as balance
    from {{ ref('receivable_books') }} as books
    inner join month_ends
        on books.month <= month_ends.as_of_date
    group by month_ends.as_of_date, books.customer_id, books.source_system, books.currency_code
)

select
    coalesce(states.as_of_date, books.as_of_date) as as_of_date,
    coalesce(states.customer_id, books.customer_id) as customer_id,
    states.balance as balance_of_states,
    books.balance as balance_of_books
from states
full outer join books
    on states.as_of_date = books.as_of_date
        and states.customer_id = books.customer_id
        and states.source_system = books.source_system
        and states.currency_code = books.currency_code
where coalesce(states.balance, 0) <> coalesce(books.balance, 0)
