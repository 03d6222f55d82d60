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
        {{ rounded('match_probability', 4, 5) }} as match_probability
    from source

)

select * from renamed
