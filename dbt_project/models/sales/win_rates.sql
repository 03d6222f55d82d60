with dates as (
    select as_of_date, year_starts_after from {{ ref('int_as_of_dates') }}
),

opportunities as (
    select
        opportunities.customer_id,
        opportunities.opened_date,
        opportunities.closed_date,
        opportunities.outcome,
        steps.lead_source,
        steps.amount
    from {{ ref('fct_opportunities') }} as opportunities
    inner join {{ ref('int_sales_steps') }} as steps
        on opportunities.opportunity_key = steps.document_key
            and steps.stage = 'opportunity'
    where opportunities.outcome is not null and opportunities.closed_date is not null
),

customers as (
    select customer_id, region from {{ ref('dim_customers') }}
),

closed as (
    select
        dates.as_of_date,
        opportunities.outcome,
        opportunities.amount,
        -- of what was lost nothing was won; of what is not known, that is not known either
        case
            when opportunities.outcome = 'won' then opportunities.amount
            when opportunities.amount is not null then {{ money('0') }}
        end as won_amount,
        {{ days_between('opportunities.opened_date', 'opportunities.closed_date') }} as days,
        coalesce(opportunities.lead_source, 'known_buyer') as lead_source,
        coalesce(customers.region, 'unknown') as region
    from opportunities
    inner join dates
        on opportunities.closed_date > dates.year_starts_after
            and opportunities.closed_date <= dates.as_of_date
    left join customers on opportunities.customer_id = customers.customer_id
),

in_series as (
    select
        as_of_date,
        'all' as series_kind,
        'all' as series,
        outcome,
        amount,
        won_amount,
        days
    from closed
    {% for kind in ['lead_source', 'region'] %}
    union all
    select
        as_of_date,
        '{{ kind }}' as series_kind,
        {{ kind }} as series,
        outcome,
        amount,
        won_amount,
        days
    from closed
    {% endfor %}
),

counted as (
    select
        as_of_date,
        series_kind,
        series,
        count(*) as closed_count,
        count(*) filter (where outcome = 'won') as won_count,
        count(*) filter (where outcome = 'lost') as lost_count,
        {{ money('sum(amount)') }} as closed_amount,
        {{ money('sum(won_amount)') }} as won_amount,
        {{ median('days', 1) }} as days_to_close_median
    from in_series
    group by as_of_date, series_kind, series
),

rated as (
    select
        as_of_date,
        series_kind,
        series,
        closed_count,
        won_count,
        lost_count,
        {{ rounded(ratio('won_count', 'closed_count'), 6) }} as win_rate,
        closed_amount,
        won_amount,
        {{ rounded(ratio('won_amount', 'closed_amount'), 6) }} as win_rate_by_amount,
        days_to_close_median,
        '{{ var("reporting_currency") }}' as currency_code
    from counted
)

select * from rated
