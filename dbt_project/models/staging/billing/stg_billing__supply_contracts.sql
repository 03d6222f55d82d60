{% set zone = source_zone('billing', 'supply_contracts') %}

with source as (

    select *
    from {{ source('billing', 'supply_contracts') }}
    where {{ current_rows() }}

),

renamed as (

    select
        contract_no,
        account_no,

        instalment_count,

        guarantee_amount,
        instalment_amount,
        currency_code,

        signed_date,
        expires_date,
        {{ to_utc('updated_at', zone) }} as updated_at
    from source

)

select * from renamed
