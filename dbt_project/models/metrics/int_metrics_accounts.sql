with stale_buckets as (
    select as_of_date, bucket, year_starts_after from {{ ref('int_stale_buckets') }}
),

exchange_rates as (
    select * from {{ ref('int_exchange_rates') }}
),

accounts as (
    select
        customer_id,
        opened_date,
        closed_date,
        usage_category,
        importance_class,
        supply_voltage_kv,
        contracted_capacity_kva,
        estimated_annual_demand,
        currency_code
    from {{ ref('dim_accounts') }}
    where customer_id is not null
),

open_accounts as (
    select
        stale_buckets.as_of_date,
        accounts.customer_id,
        accounts.usage_category,
        accounts.importance_class,
        accounts.supply_voltage_kv,
        accounts.contracted_capacity_kva,
        accounts.estimated_annual_demand,
        exchange_rates.rate as exchange_rate
    from accounts
    inner join stale_buckets
        on {{ bucket_of('accounts.customer_id') }} = stale_buckets.bucket
            and accounts.opened_date <= stale_buckets.as_of_date
            and (
                accounts.closed_date is null
                or accounts.closed_date > stale_buckets.as_of_date
            )
    left join exchange_rates
        on accounts.currency_code = exchange_rates.from_currency
            and exchange_rates.valid_from <= stale_buckets.as_of_date
            and (
                exchange_rates.valid_to is null
                or exchange_rates.valid_to > stale_buckets.as_of_date
            )
),

-- The category of use is that of the largest account; the lowest code breaks a tie.
largest_accounts as (
    select
        as_of_date,
        customer_id,
        usage_category,
        row_number() over (
            partition by as_of_date, customer_id
            order by contracted_capacity_kva desc nulls last, usage_category asc nulls last
        ) as place
    from open_accounts
),

account_metrics as (
    select
        as_of_date,
        customer_id,
        max(supply_voltage_kv) as supply_voltage_kv_max,
        sum(contracted_capacity_kva) as contracted_capacity_kva,
        cast(sum(estimated_annual_demand * exchange_rate) as decimal(18, 2))
            as estimated_annual_demand,
        min(
            case importance_class
                when 'special' then 1 when 'first' then 2 when 'second' then 3
                when 'ordinary' then 4
            end
        ) as importance_place
    from open_accounts
    group by as_of_date, customer_id
),

readings as (
    select
        stale_buckets.as_of_date,
        readings.customer_id,
        sum(readings.kwh) as kwh_12m
    from {{ ref('fct_readings') }} as readings
    inner join stale_buckets
        on {{ bucket_of('readings.customer_id') }} = stale_buckets.bucket
            and readings.read_date > stale_buckets.year_starts_after
            and readings.read_date <= stale_buckets.as_of_date
    where readings.customer_id is not null
    group by stale_buckets.as_of_date, readings.customer_id
),

guarantees as (
    select
        stale_buckets.as_of_date,
        contracts.customer_id,
        cast(sum(contracts.guarantee_amount * exchange_rates.rate) as decimal(18, 2))
            as guarantee_amount
    from {{ ref('fct_contracts') }} as contracts
    inner join stale_buckets
        on {{ bucket_of('contracts.customer_id') }} = stale_buckets.bucket
            and contracts.signed_date <= stale_buckets.as_of_date
            and (
                contracts.expires_date is null
                or contracts.expires_date >= stale_buckets.as_of_date
            )
    left join exchange_rates
        on contracts.currency_code = exchange_rates.from_currency
            and exchange_rates.valid_from <= contracts.signed_date
            and (
                exchange_rates.valid_to is null
                or exchange_rates.valid_to > contracts.signed_date
            )
    where contracts.guarantee_amount is not null
        and contracts.customer_id is not null
    group by stale_buckets.as_of_date, contracts.customer_id
),

keys as (
    select as_of_date, customer_id from account_metrics
    union
    select as_of_date, customer_id from readings
    union
    select as_of_date, customer_id from guarantees
),

joined as (
    select
        keys.as_of_date,
        keys.customer_id,
        readings.kwh_12m,
        account_metrics.supply_voltage_kv_max,
        account_metrics.contracted_capacity_kva,
        largest_accounts.usage_category,
        case account_metrics.importance_place
            when 1 then 'special' when 2 then 'first' when 3 then 'second' when 4 then 'ordinary'
        end as importance_class,
        account_metrics.estimated_annual_demand,
        guarantees.guarantee_amount
    from keys
    left join account_metrics
        on keys.as_of_date = account_metrics.as_of_date
            and keys.customer_id = account_metrics.customer_id
    left join largest_accounts
        on keys.as_of_date = largest_accounts.as_of_date
            and keys.customer_id = largest_accounts.customer_id
            and largest_accounts.place = 1
    left join readings
        on keys.as_of_date = readings.as_of_date
            and keys.customer_id = readings.customer_id
    left join guarantees
        on keys.as_of_date = guarantees.as_of_date
            and keys.customer_id = guarantees.customer_id
)

select * from joined
