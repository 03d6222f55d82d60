{#- Debts as they stand on dates: those issued or due in the last twelve months and older ones still
    open, which is all that a metric asks for. `dates` and `states` are CTEs of the model; with
    `by_bucket` only dates of the customer's bucket count. -#}
{% macro receivable_positions(by_bucket=false) -%}
    select
        dates.as_of_date,
        states.receivable_key,
        states.customer_id,
        states.source_system,
        states.currency_code,
        states.issued_date > dates.year_starts_after as is_issued_in_window,
        states.due_date > dates.year_starts_after
        and states.due_date <= dates.as_of_date as is_due_in_window,
        states.due_date < dates.as_of_date and states.open_amount > 0 as is_overdue,
        states.settled_date <= states.due_date as is_settled_on_time,
        case
            when states.settled_date is not null
                then greatest({{ days_between('states.due_date', 'states.settled_date') }}, 0)
        end as days_late,
        case
            when states.settled_date is null and states.due_date < dates.as_of_date
                then {{ days_between('states.due_date', 'dates.as_of_date') }}
        end as days_unpaid,
        {{ days_between('states.due_date', 'dates.as_of_date') }} as days_past_due,
        states.due_amount,
        states.paid_amount,
        states.open_amount,
        states.exchange_rate
    from states
    inner join dates
        on {% if by_bucket %}{{ bucket_of('states.customer_id') }} = dates.bucket
            and {% endif %}states.valid_from <= dates.as_of_date
            and (states.valid_to is null or states.valid_to > dates.as_of_date)
            and (
                states.issued_date > dates.year_starts_after
                or states.due_date > dates.year_starts_after
                or states.open_amount > 0
            )
{%- endmacro %}
