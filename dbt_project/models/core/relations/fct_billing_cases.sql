with billing_events as (

    select * from {{ ref('stg_his__billing_events') }}

),

cases as (

    select
        case_no,
        count(*) as event_count,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at,
        min(case when activity = 'FIN' then event_at end) as first_finished_at,
        min(case when activity = 'BILLED' then event_at end) as first_billed_at,
        -- days are those of the hospital's calendar, not of UTC
        min(case when activity = 'FIN' then event_date end) as first_finished_date,
        min(case when activity = 'BILLED' then event_date end) as first_billed_date
    from billing_events
    group by case_no

)

select
    case_no,
    event_count,
    first_event_at,
    last_event_at,
    first_finished_at,
    first_billed_at,
    {{ days_between('first_finished_date', 'first_billed_date') }} as days_to_billed
from cases
