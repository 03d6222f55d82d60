-- Read once for days and months: lines are many, and each of them is joined and converted.
with purchases as (
    select
        customer_id,
        source_system,
        coalesce(document_no, '') as document_no,
        transaction_date,
        coalesce(cancelled_date, cast('9999-12-31' as date)) as void_from,
        gross_amount,
        margin_amount,
        discount_rate
    from {{ ref('int_purchases') }}
),

documents as (
    select
        customer_id,
        source_system,
        document_no,
        transaction_date,
        void_from,
        sum(gross_amount) as gross_amount,
        sum(margin_amount) as margin_amount,
        sum(case when margin_amount is not null then gross_amount end)
            as gross_with_known_margin,
        sum(discount_rate) as discount_rate_sum,
        count(discount_rate) as discount_rate_count
    from purchases
    group by customer_id, source_system, document_no, transaction_date, void_from
)

select
    customer_id,
    source_system,
    document_no,
    transaction_date,
    void_from,
    {{ money('gross_amount', 4) }} as gross_amount,
    {{ money('margin_amount', 4) }} as margin_amount,
    {{ money('gross_with_known_margin', 4) }} as gross_with_known_margin,
    cast(discount_rate_sum as decimal(18, 6)) as discount_rate_sum,
    cast(discount_rate_count as bigint) as discount_rate_count
from documents
