with dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

buckets as (
    select bucket, lower_days, upper_days, bucket_rank from {{ ref('opportunity_age_buckets') }}
),

first_quotes as (
    select opportunity_key, min(quoted_date) as quoted_date
    from {{ ref('fct_quotes') }}
    group by opportunity_key
),

customers as (
    select customer_id, region from {{ ref('dim_customers') }}
),

open_opportunities as (
    select
        dates.as_of_date,
        coalesce(customers.region, 'unknown') as region,
        case
            when first_quotes.quoted_date <= dates.as_of_date then 'quote'
            else 'opportunity'
        end as stage,
        {{ days_between('opportunities.opened_date', 'dates.as_of_date') }} as days_open,
        steps.amount
    from {{ ref('fct_opportunities') }} as opportunities
    inner join dates
        on opportunities.opened_date <= dates.as_of_date
            and (
                opportunities.closed_date is null
                or opportunities.closed_date > dates.as_of_date
            )
    inner join {{ ref('int_sales_steps') }} as steps
        on opportunities.opportunity_key = steps.document_key
            and steps.stage = 'opportunity'
    left join first_quotes on opportunities.opportunity_key = first_quotes.opportunity_key
    left join customers on opportunities.customer_id = customers.customer_id
),

aged as (
    select
        open_opportunities.as_of_date,
        open_opportunities.region,
        open_opportunities.stage,
        buckets.bucket,
        buckets.bucket_rank,
        count(*) as open_count,
        {{ money('sum(open_opportunities.amount)') }} as expected_amount,
        max(open_opportunities.days_open) as days_open_max,
        '{{ var("reporting_currency") }}' as currency_code
    from open_opportunities
    inner join buckets
        on open_opportunities.days_open >= buckets.lower_days
            and (
                buckets.upper_days is null
                or open_opportunities.days_open <= buckets.upper_days
            )
    group by
        open_opportunities.as_of_date,
        open_opportunities.region,
        open_opportunities.stage,
        buckets.bucket,
        buckets.bucket_rank
)

select * from aged
