with source as (

    select *
    from {{ source('billing', 'subscriptions') }}
    where {{ current_rows() }}

),

renamed as (

    select
        customer_no,

        case gender when 'Female' then 'F' when 'Male' then 'M' else 'U' end as sex,
        senior_citizen = 1 as is_senior_citizen,
        contract_kind,
        payment_method,
        internet_service,
        churned = 'Yes' as is_churned,

        tenure_months,

        monthly_charges,
        total_charges,
        '{{ var("reporting_currency") }}' as currency_code
    from source

)

select * from renamed
