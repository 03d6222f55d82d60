with metrics as (
    select
        as_of_date,
        customer_id,
        monetary_12m,
        wallet_share,
        wallet_headroom,
        currency_code
    from {{ ref('customer_metrics') }}
    where wallet_headroom is not null
        and as_of_date in (select dates.as_of_date from {{ ref('int_value_dates') }} as dates)
),

ranked as (
    select
        as_of_date,
        customer_id,
        monetary_12m as own_spend,
        {{ money('monetary_12m + wallet_headroom', 4) }} as wallet_estimate,
        wallet_share,
        wallet_headroom as headroom,
        cast(rank() over (partition by as_of_date order by wallet_share desc nulls last) as bigint)
            as share_rank,
        'estimated annual demand of the open accounts' as source_of_estimate,
        currency_code
    from metrics
)

select * from ranked
