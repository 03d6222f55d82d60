-- What calls for a new look at a customer's credit at once, whatever the next review date says.
-- No source tells of a change of management yet.
with rules as (
    select * from {{ ref('reassessment_rules') }}
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

-- a fall counts on the first of the days it is seen on
falls as (
    select
        customer_metrics.customer_id,
        customer_metrics.as_of_date as event_date,
        'sudden_fall' as event_type
    from {{ ref('customer_metrics') }} as customer_metrics
    inner join rules
        on rules.event_type = 'sudden_fall'
            and customer_metrics.growth_12m <= rules.threshold
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on customer_metrics.as_of_date = as_of_dates.as_of_date
    left join {{ ref('customer_metrics') }} as before
        on as_of_dates.previous_as_of_date = before.as_of_date
            and customer_metrics.customer_id = before.customer_id
    where customer_metrics.open_amount is not null
        and as_of_dates.previous_as_of_date is not null
        and coalesce(before.growth_12m, 0) > rules.threshold
),

events as (
    select * from bounced
    union all
    select * from defaults
    union all
    select * from breaches
    union all
    select * from falls
),

counted as (
    select customer_id, event_date, event_type, count(*) as events
    from events
    where event_date <= {{ newest_as_of_date() }}
    group by customer_id, event_date, event_type
),

-- the newest day on or before the event says the grade
dated as (
    select counted.*, as_of_dates.as_of_date
    from counted
    left join {{ ref('int_as_of_dates') }} as as_of_dates
        on counted.event_date >= as_of_dates.as_of_date
            and (
                as_of_dates.next_as_of_date is null
                or counted.event_date < as_of_dates.next_as_of_date
            )
),

grades as (
    select as_of_date, customer_id, grade from {{ ref('credit_grades') }}
)

select
    dated.customer_id,
    dated.event_date,
    dated.event_type,
    rules.text_en,
    rules.text_zh,
    dated.events,
    grades.grade as grade_at_event
from dated
inner join rules
    on dated.event_type = rules.event_type
left join grades
    on dated.customer_id = grades.customer_id
        and dated.as_of_date = grades.as_of_date
