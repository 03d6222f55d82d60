{{ config(access='protected') }}
{% set columns = [
    'change_key', 'changed_on', 'change_kind', 'customer_id_before', 'customer_id_after', 'rule',
    'records_moved', 'records_before',
] %}

with changes as (

    select * from {{ ref('stg_identity__changes') }}

),

new_changes as (

    select * from {{ ref('int_new_changes') }}

),

earlier_changes as (

    select changes.*
    from changes
    left join new_changes on changes.change_key = new_changes.change_key
    where new_changes.change_key is null

)

select {{ columns | join(', ') }} from earlier_changes

union all

select {{ columns | join(', ') }} from new_changes
