{{ config(materialized='view') }}
with details as (
    select * from {{ ref('score_details') }}
),

totals as (
    select * from {{ ref('int_scheme_totals') }}
),

customer_metrics as (
    select * from {{ ref('customer_metrics') }}
),

-- Only what a rule asks for is laid out.
asked as (
    select distinct
        scheme,
        version,
        subject,
        coalesce(operand, '') as operand
    from {{ ref('scheme_rules') }}
),

of_indicators as (
    select
        details.as_of_date,
        details.scheme,
        details.version,
        details.customer_id,
        asked.subject,
        asked.operand,
        cast(
            case asked.subject
                when 'indicator_band' then details.band
                else details.points
            end as decimal(24, 6)
        ) as subject_value
    from details
    inner join asked
        on details.scheme = asked.scheme
            and details.version = asked.version
            and details.indicator = asked.operand
    where asked.subject in ('indicator_band', 'indicator_points')
),

of_groups as (
    select
        details.as_of_date,
        details.scheme,
        details.version,
        details.customer_id,
        asked.subject,
        asked.operand,
        cast(
            case asked.subject
                when 'group_band' then avg(cast(details.band as double))
                else 100 * {{ ratio(
                    'sum(details.contribution)', 'sum(details.effective_weight)'
                ) }}
            end as decimal(24, 6)
        ) as subject_value
    from details
    inner join asked
        on details.scheme = asked.scheme
            and details.version = asked.version
            and details.indicator_group = asked.operand
    where asked.subject in ('group_band', 'group_points')
    group by
        details.as_of_date,
        details.scheme,
        details.version,
        details.customer_id,
        asked.subject,
        asked.operand
),

of_totals as (
    select
        totals.as_of_date,
        totals.scheme,
        totals.version,
        totals.customer_id,
        asked.subject,
        asked.operand,
        cast(case when asked.subject = 'score' then totals.score end as decimal(24, 6))
            as subject_value
    from totals
    inner join asked
        on totals.scheme = asked.scheme
            and totals.version = asked.version
    where asked.subject in ('score', 'always')
),

of_metrics as (
    select
        totals.as_of_date,
        totals.scheme,
        totals.version,
        totals.customer_id,
        asked.subject,
        asked.operand,
        {{ metric_value('customer_metrics', 'asked.operand', 'number') }} as subject_value
    from totals
    inner join asked
        on totals.scheme = asked.scheme
            and totals.version = asked.version
    inner join customer_metrics
        on totals.as_of_date = customer_metrics.as_of_date
            and totals.customer_id = customer_metrics.customer_id
    where asked.subject = 'metric'
),

unioned as (
    select * from of_indicators
    union all
    select * from of_groups
    union all
    select * from of_totals
    union all
    select * from of_metrics
)

select * from unioned
