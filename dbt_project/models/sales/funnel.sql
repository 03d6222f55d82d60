with dates as (
    select as_of_date, year_starts_after from {{ ref('int_as_of_dates') }}
),

stages as (
    select stage, stage_rank, label_en, label_zh from {{ ref('funnel_stages') }}
),

-- each sale of the year once per stage it has reached
reached as (
    select
        dates.as_of_date,
        steps.case_key,
        steps.entry_stage,
        steps.lead_source,
        steps.stage,
        min(steps.step_date) as reached_date,
        sum(steps.amount) as amount
    from {{ ref('int_sales_steps') }} as steps
    inner join dates
        on steps.entered_date > dates.year_starts_after
            and steps.step_date <= dates.as_of_date
            and (steps.cancelled_date is null or steps.cancelled_date > dates.as_of_date)
    group by
        dates.as_of_date, steps.case_key, steps.entry_stage, steps.lead_source, steps.stage
),

timed as (
    select
        reached.*,
        lag(reached.reached_date) over (
            partition by reached.as_of_date, reached.case_key
            order by stages.stage_rank asc nulls last
        ) as previous_date
    from reached
    inner join stages on reached.stage = stages.stage
),

in_series as (
    select
        as_of_date,
        'entry' as series_kind,
        entry_stage as series,
        entry_stage,
        stage,
        amount,
        {{ days_between('previous_date', 'reached_date') }} as days
    from timed
    union all
    select
        as_of_date,
        'lead_source' as series_kind,
        lead_source as series,
        entry_stage,
        stage,
        amount,
        {{ days_between('previous_date', 'reached_date') }} as days
    from timed
    where entry_stage = 'lead'
),

counted as (
    select
        as_of_date,
        series_kind,
        series,
        entry_stage,
        stage,
        count(*) as case_count,
        {{ money('sum(amount)') }} as amount,
        {{ median('days', 1) }} as days_from_previous_median
    from in_series
    group by as_of_date, series_kind, series, entry_stage, stage
),

-- a stage that nobody reached is a row as well
all_stages as (
    select
        entered.as_of_date,
        entered.series_kind,
        entered.series,
        entered.case_count as entered_count,
        stages.stage,
        stages.stage_rank,
        stages.label_en as stage_label_en,
        stages.label_zh as stage_label_zh
    from counted as entered
    inner join stages as entry on entered.entry_stage = entry.stage
    inner join stages on entry.stage_rank <= stages.stage_rank
    where entered.stage = entered.entry_stage
),

with_previous as (
    select
        all_stages.*,
        coalesce(counted.case_count, 0) as case_count,
        lag(coalesce(counted.case_count, 0)) over (
            partition by all_stages.as_of_date, all_stages.series_kind, all_stages.series
            order by all_stages.stage_rank asc nulls last
        ) as previous_count,
        case when counted.case_count is null then {{ money('0') }} else counted.amount end
            as amount,
        counted.days_from_previous_median
    from all_stages
    left join counted
        on all_stages.as_of_date = counted.as_of_date
            and all_stages.series_kind = counted.series_kind
            and all_stages.series = counted.series
            and all_stages.stage = counted.stage
),

rated as (
    select
        as_of_date,
        series_kind,
        series,
        stage,
        stage_rank,
        stage_label_en,
        stage_label_zh,
        case_count,
        previous_count,
        {{ rounded(ratio('case_count', 'previous_count'), 6) }} as conversion_rate,
        {{ rounded(ratio('case_count', 'entered_count'), 6) }} as reached_rate,
        days_from_previous_median,
        amount,
        '{{ var("reporting_currency") }}' as currency_code
    from with_previous
)

select * from rated
