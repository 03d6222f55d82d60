{#- A month as a number, so that twelve of them are twelve. -#}
{%- set month_number -%}
cast(extract(year from month) as integer) * 12 + cast(extract(month from month) as integer)
{%- endset -%}
with months as (
    select customer_id, month, sum(gross_amount) as gross_amount
    from {{ ref('int_customer_months') }}
    group by customer_id, month
),

spine as (
    select distinct {{ month_start('date_day') }} as month
    from {{ ref('dim_dates') }}
    where date_day >= (select min(months.month) from months)
        and date_day <= (select max(months.month) from months)
),

numbered as (
    select
        customer_id,
        month,
        gross_amount,
        {{ month_number }} as month_no
    from months
),

with_neighbours as (
    select
        customer_id,
        month_no,
        gross_amount,
        lag(month_no) over (partition by customer_id order by month_no asc nulls last)
            as previous_no,
        lead(month_no) over (partition by customer_id order by month_no asc nulls last) as next_no
    from numbered
),

-- Whoever buys counts for that month and eleven more; the twelfth without a purchase ends it.
events as (
    select
        month_no,
        count(*) filter (where previous_no is null) as won,
        count(*) filter (where month_no > previous_no + 12) as returned,
        cast(0 as bigint) as lost,
        sum(gross_amount) as amount,
        sum(gross_amount) filter (where previous_no is null) as amount_of_won
    from with_neighbours
    group by month_no
    union all
    select
        month_no + 12 as month_no,
        0 as won,
        0 as returned,
        count(*) as lost,
        0 as amount,
        0 as amount_of_won
    from with_neighbours
    where next_no is null or next_no > month_no + 12
    group by month_no
),

by_month as (
    select
        spine.month,
        coalesce(sum(events.won), 0) as won,
        coalesce(sum(events.returned), 0) as returned,
        coalesce(sum(events.lost), 0) as lost,
        coalesce(sum(events.amount), 0) as amount,
        coalesce(sum(events.amount_of_won), 0) as amount_of_won
    from spine
    left join events
        on {{ month_number | replace('month)', 'spine.month)') }} = events.month_no
    group by spine.month
),

running as (
    select
        by_month.*,
        sum(won + returned - lost) over (
            order by month asc nulls last
            rows between unbounded preceding and current row
        ) as closing
    from by_month
),

flows as (
    select
        month,
        cast(closing - won - returned + lost as bigint) as opening,
        cast(won as bigint) as won,
        cast(returned as bigint) as returned,
        cast(lost as bigint) as lost,
        cast(closing as bigint) as closing,
        {{ rounded(ratio('lost', 'closing - won - returned + lost'), 6) }} as churn_rate,
        {{ money('amount', 4) }} as amount,
        {{ money('amount_of_won', 4) }} as amount_of_won,
        {{ money('amount - amount_of_won', 4) }} as amount_of_returning,
        '{{ var("reporting_currency") }}' as currency_code
    from running
)

select * from flows
