with source as (

    select *
    from {{ source('identity', 'assignments') }}
    where {{ current_rows() }}

),

renamed as (

    select
        record_key,
        valid_from,
        customer_id,
        match_rule,
        match_probability
    from source

)

select * from renamed
