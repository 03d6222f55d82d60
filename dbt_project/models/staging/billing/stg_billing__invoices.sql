with source as (

    select *
    from {{ source('billing', 'invoices') }}
    where {{ current_rows() }}

),

renamed as (

    select
        invoice_no,
        customer_no,

        country_code,
        disputed = 'Yes' as is_disputed,

        days_to_settle,
        days_late,

        amount,
        '{{ var("reporting_currency") }}' as currency_code,

        invoice_date,
        due_date,
        settled_date
    from source

)

select * from renamed
