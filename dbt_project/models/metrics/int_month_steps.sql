{{ config(materialized='view') }}
-- The last day that is known of each month, and that of the month known before it.
with months as (
    select
        {{ month_start('as_of_date') }} as month,
        max(as_of_date) as as_of_date
    from {{ ref('int_as_of_dates') }}
    group by {{ month_start('as_of_date') }}
)

select
    month,
    as_of_date,
    lag(as_of_date) over (order by as_of_date asc nulls last) as previous_as_of_date,
    lead(as_of_date) over (order by as_of_date asc nulls last) as next_as_of_date
from months
