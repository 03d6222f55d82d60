with stale_buckets as (
    select as_of_date, bucket from {{ ref('int_stale_buckets') }}
),

exchange_rates as (
    select * from {{ ref('int_exchange_rates') }}
),

first_receivables as (
    select customer_id, min(issued_date) as first_issued_date
    from {{ ref('fct_receivables') }}
    where customer_id is not null
    group by customer_id
),

debtors as (
    select stale_buckets.as_of_date, first_receivables.customer_id
    from first_receivables
    inner join stale_buckets
        on {{ bucket_of('first_receivables.customer_id') }} = stale_buckets.bucket
            and first_receivables.first_issued_date <= stale_buckets.as_of_date
),

in_transit as (
    select
        stale_buckets.as_of_date,
        receipts.customer_id,
        cast(sum(receipts.amount * exchange_rates.rate) as decimal(18, 2)) as in_transit_amount
    from {{ ref('fct_receipts') }} as receipts
    inner join stale_buckets
        on {{ bucket_of('receipts.customer_id') }} = stale_buckets.bucket
            and receipts.paid_date <= stale_buckets.as_of_date
            and (
                receipts.settled_date is null
                or receipts.settled_date > stale_buckets.as_of_date
            )
            and (
                receipts.reversed_date is null
                or receipts.reversed_date > stale_buckets.as_of_date
            )
    left join exchange_rates
        on receipts.currency_code = exchange_rates.from_currency
            and receipts.paid_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or receipts.paid_date < exchange_rates.valid_to
            )
    where receipts.customer_id is not null
    group by stale_buckets.as_of_date, receipts.customer_id
),

bounced as (
    select stale_buckets.as_of_date, receipts.customer_id, count(*) as bounced_count
    from {{ ref('fct_receipts') }} as receipts
    inner join stale_buckets
        on {{ bucket_of('receipts.customer_id') }} = stale_buckets.bucket
            and receipts.reversed_date <= stale_buckets.as_of_date
    where receipts.reversal_reason = 'bounced'
        and receipts.customer_id is not null
    group by stale_buckets.as_of_date, receipts.customer_id
),

dunnings as (
    select stale_buckets.as_of_date, dunnings.customer_id, count(*) as collection_count
    from {{ ref('fct_dunnings') }} as dunnings
    inner join stale_buckets
        on {{ bucket_of('dunnings.customer_id') }} = stale_buckets.bucket
            and dunnings.sent_date <= stale_buckets.as_of_date
    where dunnings.customer_id is not null
    group by stale_buckets.as_of_date, dunnings.customer_id
),

written_off as (
    select
        stale_buckets.as_of_date,
        receivables.customer_id,
        count(distinct events.receivable_key) as written_off_count,
        cast(sum(events.amount * exchange_rates.rate) as decimal(18, 2)) as written_off_amount
    from {{ ref('fct_receivable_events') }} as events
    inner join {{ ref('fct_receivables') }} as receivables
        on events.receivable_key = receivables.receivable_key
    inner join stale_buckets
        on {{ bucket_of('receivables.customer_id') }} = stale_buckets.bucket
            and events.event_date <= stale_buckets.as_of_date
    left join exchange_rates
        on receivables.currency_code = exchange_rates.from_currency
            and receivables.issued_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or receivables.issued_date < exchange_rates.valid_to
            )
    where events.event_type = 'written_off'
        and receivables.customer_id is not null
    group by stale_buckets.as_of_date, receivables.customer_id
),

joined as (
    select
        debtors.as_of_date,
        debtors.customer_id,
        coalesce(in_transit.in_transit_amount, 0) as in_transit_amount,
        coalesce(dunnings.collection_count, 0) as collection_count,
        coalesce(bounced.bounced_count, 0) as bounced_count,
        coalesce(written_off.written_off_count, 0) as written_off_count,
        coalesce(written_off.written_off_amount, 0) as written_off_amount
    from debtors
    left join in_transit
        on debtors.as_of_date = in_transit.as_of_date
            and debtors.customer_id = in_transit.customer_id
    left join dunnings
        on debtors.as_of_date = dunnings.as_of_date
            and debtors.customer_id = dunnings.customer_id
    left join bounced
        on debtors.as_of_date = bounced.as_of_date
            and debtors.customer_id = bounced.customer_id
    left join written_off
        on debtors.as_of_date = written_off.as_of_date
            and debtors.customer_id = written_off.customer_id
)

select * from joined
