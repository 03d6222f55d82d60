{{ config(
    pre_hook="{{ forget_met(
        ref('int_changed_buckets'),
        bucket_of('told.customer_id') ~ ' = stale.bucket and told.month >= stale.first_month'
    ) }}",
) }}
-- What moved the debts of a customer in a month, told again from the first month on in which
-- something changed. Changes of what is due that are not the debt itself are adjustments; money
-- beyond what is due leaves a negative balance, so nothing is cut off.
-- joins stand in conditions that the linter does not run
-- noqa: disable=LT02
with by_month as (
    select
        changes.customer_id,
        changes.source_system,
        changes.currency_code,
        {{ month_start('changes.change_date') }} as month,
        sum(changes.issued_change) as issued_amount,
        sum(changes.due_change) - sum(changes.issued_change) as adjusted_amount,
        sum(changes.paid_change) as settled_amount,
        sum(changes.written_off_change) as written_off_amount
    from {{ ref('int_receivable_changes') }} as changes
    {%- if is_incremental() %}
    inner join {{ ref('int_changed_buckets') }} as changed
        on {{ bucket_of('changes.customer_id') }} = changed.bucket
            and changes.change_date >= changed.first_month
    {%- endif %}
    group by
        changes.customer_id,
        changes.source_system,
        changes.currency_code,
        {{ month_start('changes.change_date') }}
),

-- What the months that stand end with.
standing as (
    {%- if is_incremental() %}
    select
        told.customer_id,
        told.source_system,
        told.currency_code,
        {{ max_by('told.closing_amount', 'told.month') }} as closing_amount
    from {{ this }} as told
    inner join {{ ref('int_changed_buckets') }} as changed
        on {{ bucket_of('told.customer_id') }} = changed.bucket
    group by told.customer_id, told.source_system, told.currency_code
    {%- else %}
    select customer_id, source_system, currency_code, 0 as closing_amount
    from by_month
    where 1 = 0
    {%- endif %}
),

balanced as (
    select
        by_month.*,
        coalesce(standing.closing_amount, 0) + sum(
            by_month.issued_amount
            + by_month.adjusted_amount
            - by_month.settled_amount
            - by_month.written_off_amount
        ) over (
            partition by by_month.customer_id, by_month.source_system, by_month.currency_code
            order by by_month.month asc nulls last
            rows between unbounded preceding and current row
        ) as closing_amount
    from by_month
    left join standing
        on by_month.customer_id = standing.customer_id
            and by_month.source_system = standing.source_system
            and by_month.currency_code = standing.currency_code
)

select
    month,
    customer_id,
    source_system,
    {{ money(
        'closing_amount - (issued_amount + adjusted_amount'
        ' - settled_amount - written_off_amount)'
    ) }} as opening_amount,
    {{ money('issued_amount') }} as issued_amount,
    {{ money('adjusted_amount') }} as adjusted_amount,
    {{ money('settled_amount') }} as settled_amount,
    {{ money('written_off_amount') }} as written_off_amount,
    {{ money('closing_amount') }} as closing_amount,
    currency_code
from balanced
