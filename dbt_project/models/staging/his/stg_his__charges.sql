{% set zone = source_zone('his', 'charges') %}

with source as (

    select *
    from {{ source('his', 'charges') }}
    where {{ current_rows() }}

),

renamed as (

    select
        charge_id,
        visit_no,

        item_class,

        amount,
        cost,
        insurer_amount,
        self_pay_amount,
        currency_code,

        {{ to_utc('charged_at', zone) }} as charged_at,
        {{ local_date('charged_at') }} as charged_date,
        {{ to_utc('updated_at', zone) }} as updated_at,
        '{{ zone }}' as source_timezone
    from source

)

select * from renamed
