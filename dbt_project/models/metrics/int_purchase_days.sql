{{ config(
    pre_hook=[
        "{{ forget_met(
            ref('int_stale_purchases'),
            'told.as_of_date is null and told.customer_id = stale.customer_id'
        ) }}",
        "{{ forget_told_again(ref('int_stale_buckets'), true) }}",
        "{{ forget_unasked_dates() }}",
    ],
) }}
{#- The purchases that a set sees. -#}
{%- set seen -%}
sets.customer_id = purchases.customer_id
            and sets.seen_until >= purchases.transaction_date
            and sets.seen_until
            < coalesce(purchases.cancelled_date, cast('9999-12-31' as date))
{%- endset -%}
with sets as (
    select * from {{ ref('int_purchase_sets') }}
),

days as (
    select
        sets.set_no,
        purchases.transaction_date as purchase_date,
        {{ money('sum(purchases.gross_amount)', 4) }} as gross_amount,
        {{ money('sum(purchases.margin_amount)', 4) }} as margin_amount,
        {{ money(
            'sum(case when purchases.margin_amount is not null then purchases.gross_amount end)', 4
        ) }} as gross_with_known_margin,
        cast(sum(purchases.discount_rate) as decimal(18, 6)) as discount_rate_sum,
        cast(count(purchases.discount_rate) as bigint) as discount_rate_count,
        max(purchases.source_system) as last_system
    from {{ ref('int_purchases') }} as purchases
    inner join sets
        on {{ seen }}
    group by sets.set_no, purchases.transaction_date
),

-- A document, and a class of product, counts on the day of its first line. Both in one pass: what
-- is grouped by class has no source system.
first_lines as (
    select
        sets.set_no,
        purchases.source_system,
        min(purchases.transaction_date) as purchase_date
    from {{ ref('int_purchases') }} as purchases
    inner join sets
        on {{ seen }}
    group by grouping sets ( -- noqa: PRS,RF02
        (sets.set_no, purchases.source_system, purchases.document_no),
        (sets.set_no, purchases.product_class)
    )
    having purchases.source_system is not null or purchases.product_class is not null
),

counted as (
    select
        set_no,
        purchase_date,
        count(source_system) as documents,
        count(*) filter (where source_system = 'orders') as orders,
        count(*) - count(source_system) as new_product_classes
    from first_lines
    group by set_no, purchase_date
)

select
    sets.customer_id,
    sets.as_of_date,
    days.purchase_date,
    days.gross_amount,
    days.margin_amount,
    days.gross_with_known_margin,
    days.discount_rate_sum,
    days.discount_rate_count,
    days.last_system,
    coalesce(counted.documents, 0) as documents,
    coalesce(counted.orders, 0) as orders,
    coalesce(counted.new_product_classes, 0) as new_product_classes,
    {{ days_between(
        'lag(days.purchase_date) over ('
        ~ 'partition by days.set_no order by days.purchase_date asc nulls last)',
        'days.purchase_date'
    ) }} as interval_days
from days
inner join sets
    on days.set_no = sets.set_no
left join counted
    on days.set_no = counted.set_no
        and days.purchase_date = counted.purchase_date
