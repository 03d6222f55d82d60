with documents as (
    select
        customer_id,
        source_system,
        transaction_date,
        void_from,
        gross_amount,
        margin_amount
    from {{ ref('int_purchase_documents') }}
),

newest as (
    select max(as_of_date) as as_of_date from {{ ref('int_as_of_dates') }}
),

months as (
    select
        documents.customer_id,
        documents.source_system,
        {{ month_start('documents.transaction_date') }} as month,
        cast(sum(documents.gross_amount) as decimal(18, 4)) as gross_amount,
        cast(sum(documents.margin_amount) as decimal(18, 4)) as margin_amount
    from documents
    inner join newest
        on documents.transaction_date <= newest.as_of_date
            and documents.void_from > newest.as_of_date
    group by
        documents.customer_id,
        documents.source_system,
        {{ month_start('documents.transaction_date') }}
)

select * from months
