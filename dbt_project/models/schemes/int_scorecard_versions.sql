{{ config(materialized='view') }}
with scorecards as (
    select * from {{ ref('scorecards') }}
),

as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

ranked as (
    select
        as_of_dates.as_of_date,
        scorecards.*,
        row_number() over (
            partition by as_of_dates.as_of_date, scorecards.scorecard
            order by scorecards.valid_from desc nulls last, scorecards.version desc nulls last
        ) as version_rank
    from as_of_dates
    inner join scorecards
        on scorecards.valid_from <= as_of_dates.as_of_date
)

select * from ranked
where version_rank = 1
