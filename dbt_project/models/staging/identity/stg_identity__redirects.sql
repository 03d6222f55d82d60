with source as (

    select *
    from {{ source('identity', 'redirects') }}
    where {{ current_rows() }}

),

renamed as (

    select
        customer_id,
        valid_from,
        redirected_to
    from source

)

select * from renamed
