{% set zone = source_zone('billing', 'bills') %}

with source as (

    select *
    from {{ source('billing', 'bills') }}
    where {{ current_rows() }}

),

renamed as (

    select
        bill_no,
        account_no,

        period,

        kwh,

        amount,
        cost,
        late_fee,
        currency_code,

        issued_date,
        due_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
