with source as (

    select *
    from {{ source('identity', 'changes') }}
    where {{ current_rows() }}

),

renamed as (

    select
        change_key,
        changed_on,
        change_kind,
        customer_id_before,
        customer_id_after,
        rule,
        records_moved,
        records_before
    from source

)

select * from renamed
