-- Whoever was spoken to lately waits.
with dormant as (
    select
        metrics.as_of_date,
        metrics.customer_id,
        metrics.recency_days,
        metrics.monetary_total,
        metrics.currency_code
    from {{ ref('customer_metrics') }} as metrics
    inner join {{ ref('scores') }} as pools
        on metrics.as_of_date = pools.as_of_date
            and metrics.customer_id = pools.customer_id
            and pools.scheme = 'customer_pool'
            and pools.class_code = 'dormant'
    where metrics.as_of_date = {{ newest_as_of_date() }}
        and (
            metrics.last_contact_date is null
            or metrics.last_contact_date
            < {{ add_days('metrics.as_of_date', '0 - ' ~ var('days_left_alone')) }}
        )
),

with_tier as (
    select
        dormant.as_of_date,
        {{ add_days('dormant.as_of_date', '1 - ' ~ iso_weekday('dormant.as_of_date')) }}
            as week_start,
        dormant.customer_id,
        dormant.recency_days,
        dormant.monetary_total,
        dormant.currency_code,
        tiers.class_code as win_back_tier,
        row_number() over (
            partition by dormant.as_of_date
            order by
                tiers.class_rank asc nulls last,
                tiers.score desc nulls last,
                dormant.customer_id asc nulls last
        ) as place
    from dormant
    left join {{ ref('scores') }} as tiers
        on dormant.as_of_date = tiers.as_of_date
            and dormant.customer_id = tiers.customer_id
            and tiers.scheme = 'win_back'
    where coalesce(tiers.class_code, '') <> 'bad'
),

handed_out as (
    select
        as_of_date,
        week_start,
        cast(place as bigint) as place,
        customer_id,
        recency_days,
        monetary_total,
        win_back_tier,
        currency_code
    from with_tier
    where place <= {{ var('weekly_hand_out') }}
)

select * from handed_out
