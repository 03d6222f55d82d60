{% set kinds = [
    ref('int_transactions__bills'),
    ref('int_transactions__billing_invoices'),
    ref('int_transactions__charges'),
    ref('int_transactions__order_lines'),
    ref('int_transactions__returns'),
    ref('int_transactions__invoice_lines'),
] %}
{% set columns = [
    'transaction_key', 'source_system', 'source_record_id', 'transaction_kind',
    'document_no', 'line_no', 'transaction_at', 'transaction_date', 'source_timezone',
    'cancelled_date', 'product_code', 'product_class', 'quantity', 'unit_price', 'list_amount',
    'gross_amount', 'cost_amount', 'currency_code',
] %}

with transactions as (

    {% for kind in kinds %}
    select {{ columns | join(', ') }} from {{ kind }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

customer_records as (

    select source_system, source_record_id, customer_id from {{ ref('int_customer_records') }}

)

select
    transactions.transaction_key,
    transactions.source_system,
    transactions.source_record_id,
    customer_records.customer_id,
    transactions.transaction_kind,
    transactions.document_no,
    transactions.line_no,
    transactions.transaction_at,
    transactions.transaction_date,
    transactions.source_timezone,
    transactions.cancelled_date,
    transactions.product_code,
    transactions.product_class,
    transactions.quantity,
    transactions.unit_price,
    transactions.list_amount,
    transactions.gross_amount,
    transactions.cost_amount,
    {{ money('transactions.gross_amount - transactions.cost_amount', 4) }} as margin_amount,
    transactions.currency_code
from transactions
left join customer_records
    on
        transactions.source_system = customer_records.source_system
        and transactions.source_record_id = customer_records.source_record_id
