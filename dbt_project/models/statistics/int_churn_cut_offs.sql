with newest as (
    select max(as_of_date) as as_of_date from {{ ref('int_as_of_dates') }}
),

settings as (
    select cast(max(value) as integer) as churn_months
    from {{ ref('model_settings') }}
    where setting = 'churn_months'
),

cut_offs as (
    select
        newest.as_of_date,
        newest.as_of_date as cut_date,
        false as is_training,
        settings.churn_months
    from newest
    cross join settings
    union all
    select
        newest.as_of_date,
        {{ add_months('newest.as_of_date', '0 - settings.churn_months') }} as cut_date,
        true as is_training,
        settings.churn_months
    from newest
    cross join settings
),

with_windows as (
    select
        as_of_date,
        cut_date,
        is_training,
        {{ add_months('cut_date', '0 - churn_months') }} as recent_after,
        {{ add_months('cut_date', '0 - 2 * churn_months') }} as earlier_after,
        {{ add_months('cut_date', -12) }} as year_after
    from cut_offs
)

select * from with_windows
