{{ config(materialized='view') }}
with states as (
    select * from {{ ref('int_receivable_states') }}
),

dates as (
    select as_of_date, year_starts_after from {{ ref('int_as_of_dates') }}
),

positions as (
    {{ receivable_positions() }}
)

select * from positions
