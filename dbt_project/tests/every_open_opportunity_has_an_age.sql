-- The buckets of a day hold the opportunities that were open then, each once.
with dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

opportunities as (
    select opened_date, closed_date from {{ ref('fct_opportunities') }}
),

aged as (
    select as_of_date, sum(open_count) as opportunities
    from {{ ref('opportunity_ageing') }}
    group by as_of_date
),

opened as (
    select dates.as_of_date, count(*) as opportunities
    from dates
    inner join opportunities on dates.as_of_date >= opportunities.opened_date
    where opportunities.closed_date is null or opportunities.closed_date > dates.as_of_date
    group by dates.as_of_date
)

select opened.as_of_date, opened.opportunities, aged.opportunities as aged
from opened
left join aged on opened.as_of_date = aged.as_of_date
where aged.opportunities is null or aged.opportunities <> opened.opportunities
