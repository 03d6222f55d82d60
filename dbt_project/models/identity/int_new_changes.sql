-- One change per id before and id after. An id that no cluster bears any more was merged into the
-- one its larger part went to; a part that got an id of its own was split off.
with moved_records as (

    select * from {{ ref('int_moved_records') }}

),

previous_customers as (

    select customer_id, count(*) as record_count
    from {{ ref('int_previous_customers') }}
    group by customer_id

),

current_customers as (

    select distinct customer_id from {{ ref('int_customer_records') }}

),

heirs as (

    select * from {{ ref('int_new_heirs') }}

),

reasons as (

    select * from {{ ref('int_change_reasons') }}

),

changes as (

    select
        customer_id_before,
        customer_id_after,
        count(*) as records_moved
    from moved_records
    group by customer_id_before, customer_id_after

),

named as (

    select
        changes.*,
        previous_customers.record_count as records_before,
        case
            when changes.customer_id_after is null then 'gone'
            when heirs.customer_id_after = changes.customer_id_after then 'merge'
            when new_customers.customer_id is null then 'split'
            else 'move'
        end as change_kind
    from changes
    inner join previous_customers
        on changes.customer_id_before = previous_customers.customer_id
    left join heirs on changes.customer_id_before = heirs.customer_id_before
    left join previous_customers as new_customers
        on changes.customer_id_after = new_customers.customer_id
    left join current_customers
        on changes.customer_id_before = current_customers.customer_id
    -- records that are gone are no change of an id that others still bear, or that is merged
    where
        changes.customer_id_after is not null
        or (current_customers.customer_id is null and heirs.customer_id_before is null)

)

select
    md5(
        cast({{ newest_as_of_date() }} as {{ text_type() }})
        || '|' || named.change_kind
        || '|' || named.customer_id_before
        || '|' || coalesce(named.customer_id_after, '')
    ) as change_key,
    {{ newest_as_of_date() }} as changed_on,
    named.change_kind,
    named.customer_id_before,
    named.customer_id_after,
    case
        when named.change_kind = 'gone' then 'no_record_left'
        when named.change_kind = 'split' then coalesce(reasons.parted_by, 'no_tie_left')
        else coalesce(reasons.tied_by, reasons.parted_by, 'no_tie_left')
    end as rule,
    named.records_moved,
    named.records_before
from named
left join reasons
    on
        named.customer_id_before = reasons.customer_id_before
        and named.customer_id_after = reasons.customer_id_after
