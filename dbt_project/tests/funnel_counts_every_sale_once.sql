-- Each document enters with itself or belongs to a sale that entered before: what entered in the
-- year is counted at its entry once, and lead sources hold all leads.
with entered as (
    select dates.as_of_date, count(distinct steps.case_key) as sales
    from {{ ref('int_sales_steps') }} as steps
    inner join {{ ref('int_as_of_dates') }} as dates
        on steps.entered_date > dates.year_starts_after
            and steps.entered_date <= dates.as_of_date
    group by dates.as_of_date
),

counted as (
    select
        as_of_date,
        sum(case when series_kind = 'entry' and stage = series then case_count else 0 end)
            as sales,
        sum(case when series_kind = 'entry' and stage = 'lead' then case_count else 0 end)
            as leads,
        sum(case when series_kind = 'lead_source' and stage = 'lead' then case_count else 0 end)
            as leads_by_source
    from {{ ref('funnel') }}
    group by as_of_date
)

select entered.as_of_date, entered.sales, counted.sales as counted
from entered
left join counted on entered.as_of_date = counted.as_of_date
where counted.sales is null
    or counted.sales <> entered.sales
    or counted.leads <> counted.leads_by_source
