-- What calls for a new look at a customer's credit at once, whatever the next review date says.
-- No source tells of a change of management yet.
-- Told for the first as-of date that knows of it; the newest as-of date on or before it says the
-- grade.
with rules as (
    select * from {{ ref('reassessment_rules') }}
),

dates as (
    select as_of_dates.as_of_date, as_of_dates.previous_as_of_date
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join {{ ref('int_credit_dates') }} as stale_dates
        on as_of_dates.as_of_date = stale_dates.as_of_date
),

bounced as (
    select customer_id, reversed_date as event_date, 'bounced_payment' as event_type
    from {{ ref('fct_receipts') }}
    where reversal_reason = 'bounced' and customer_id is not null
),

defaults as (
    select
        customer_id,
        default_date as event_date,
        case when default_kind = 'written_off' then 'written_off' else 'default' end as event_type
    from {{ ref('int_debt_defaults') }}
),

breaches as (
    select customer_id, occurred_date as event_date, 'contract_breach' as event_type
    from {{ ref('fct_violations') }}
    where violation_kind = 'contract' and customer_id is not null
),

occurred as (
    select * from bounced
    union all
    select * from defaults
    union all
    select * from breaches
),

before as (
    select as_of_date, customer_id, growth_12m from {{ ref('customer_metrics') }}
    where as_of_date in (select dates.previous_as_of_date from dates)
),

-- a fall counts on the first of the days it is seen on
falls as (
    select
        dates.as_of_date,
        dates.previous_as_of_date,
        customer_metrics.customer_id,
        dates.as_of_date as event_date,
        'sudden_fall' as event_type
    from {{ ref('customer_metrics') }} as customer_metrics
    inner join dates
        on customer_metrics.as_of_date = dates.as_of_date
    inner join rules
        on rules.event_type = 'sudden_fall'
            and customer_metrics.growth_12m <= rules.threshold
    left join before
        on dates.previous_as_of_date = before.as_of_date
            and customer_metrics.customer_id = before.customer_id
    where customer_metrics.open_amount is not null
        and dates.previous_as_of_date is not null
        and coalesce(before.growth_12m, 0) > rules.threshold
),

events as (
    select
        dates.as_of_date,
        dates.previous_as_of_date,
        occurred.customer_id,
        occurred.event_date,
        occurred.event_type
    from occurred
    inner join dates
        on occurred.event_date <= dates.as_of_date
            and (
                dates.previous_as_of_date is null
                or occurred.event_date > dates.previous_as_of_date
            )
    union all
    select as_of_date, previous_as_of_date, customer_id, event_date, event_type from falls
),

counted as (
    select
        as_of_date,
        case when event_date = as_of_date then as_of_date else previous_as_of_date end
            as graded_date,
        customer_id,
        event_date,
        event_type,
        count(*) as events
    from events
    group by as_of_date, previous_as_of_date, customer_id, event_date, event_type
),

grades as (
    select as_of_date, customer_id, grade from {{ ref('credit_grades') }}
)

select
    counted.as_of_date,
    counted.customer_id,
    counted.event_date,
    counted.event_type,
    rules.text_en,
    rules.text_zh,
    counted.events,
    grades.grade as grade_at_event
from counted
inner join rules
    on counted.event_type = rules.event_type
left join grades
    on counted.customer_id = grades.customer_id
        and counted.graded_date = grades.as_of_date
