{{ config(schema='value') }}
-- Of each day everything known by the end of the months that follow, so whatever could change who
-- was a debtor then, and who came to default; and whether these months are known by now.
with known as (
    select month, facts, fact_sum from {{ ref('int_fact_fingerprints') }}
    union all
    select
        cast('1900-01-01' as date) as month,
        1 as facts,
        {{ fingerprint([
            "'" ~ code_of('credit') ~ "'", var('default_days'), var('default_months')
        ]) }} as fact_sum
),

dates as (
    select
        as_of_date,
        {{ add_months('as_of_date', var('default_months')) }} as known_until
    from {{ ref('int_as_of_dates') }}
)

select
    dates.as_of_date,
    dates.known_until <= {{ newest_as_of_date() }} as is_known,
    cast(sum(known.facts) as bigint) as facts,
    cast(sum(known.fact_sum) as decimal(38, 0)) as fact_sum
from dates
inner join known
    on dates.known_until >= known.month
group by dates.as_of_date, dates.known_until
