{%- set stages = ['leads', 'opportunities', 'quotes', 'orders', 'invoices'] -%}
with leads as (
    select
        lead_key as case_key,
        'lead' as entry_stage,
        coalesce(lead_source, 'unknown') as lead_source,
        created_date as entered_date,
        'lead' as stage,
        lead_key as document_key,
        created_date as document_date,
        created_date as step_date,
        cast(null as date) as cancelled_date,
        cast(null as decimal(18, 2)) as amount,
        cast(null as {{ text_type() }}) as currency_code
    from {{ ref('fct_leads') }}
),

opportunities as (
    select
        coalesce(leads.case_key, opportunities.opportunity_key) as case_key,
        coalesce(leads.entry_stage, 'opportunity') as entry_stage,
        leads.lead_source,
        coalesce(leads.entered_date, opportunities.opened_date) as entered_date,
        'opportunity' as stage,
        opportunities.opportunity_key as document_key,
        opportunities.opened_date as document_date,
        -- a document counts from the day of the one before it at the earliest
        greatest(opportunities.opened_date, coalesce(leads.step_date, opportunities.opened_date))
            as step_date,
        cast(null as date) as cancelled_date,
        opportunities.expected_amount as amount,
        opportunities.currency_code
    from {{ ref('fct_opportunities') }} as opportunities
    left join leads on opportunities.lead_key = leads.document_key
),

quotes as (
    select
        coalesce(opportunities.case_key, quotes.quote_key) as case_key,
        coalesce(opportunities.entry_stage, 'quote') as entry_stage,
        opportunities.lead_source,
        coalesce(opportunities.entered_date, quotes.quoted_date) as entered_date,
        'quote' as stage,
        quotes.quote_key as document_key,
        quotes.quoted_date as document_date,
        greatest(quotes.quoted_date, coalesce(opportunities.step_date, quotes.quoted_date))
            as step_date,
        cast(null as date) as cancelled_date,
        quotes.amount,
        quotes.currency_code
    from {{ ref('fct_quotes') }} as quotes
    left join opportunities on quotes.opportunity_key = opportunities.document_key
),

orders as (
    select
        quotes.case_key,
        quotes.entry_stage,
        quotes.lead_source,
        quotes.entered_date,
        'order' as stage,
        orders.order_key as document_key,
        orders.ordered_date as document_date,
        greatest(orders.ordered_date, quotes.step_date) as step_date,
        orders.cancelled_date,
        orders.amount,
        orders.currency_code
    from {{ ref('fct_quoted_orders') }} as orders
    inner join quotes on orders.quote_key = quotes.document_key
),

invoices as (
    select
        orders.case_key,
        orders.entry_stage,
        orders.lead_source,
        orders.entered_date,
        'invoice' as stage,
        invoiced.order_key as document_key,
        invoiced.invoiced_date as document_date,
        greatest(invoiced.invoiced_date, orders.step_date) as step_date,
        orders.cancelled_date,
        invoiced.invoiced_amount as amount,
        invoiced.currency_code
    from {{ ref('fct_quoted_orders') }} as invoiced
    inner join orders on invoiced.order_key = orders.document_key
    where invoiced.invoiced_date is not null
),

steps as (
    {% for stage in stages %}
    select * from {{ stage }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {% endfor %}
),

exchange_rates as (
    select from_currency, valid_from, valid_to, rate from {{ ref('int_exchange_rates') }}
),

in_reporting_currency as (
    select
        steps.case_key,
        steps.entry_stage,
        steps.lead_source,
        steps.entered_date,
        steps.stage,
        steps.document_key,
        steps.step_date,
        steps.cancelled_date,
        {{ money('cast(steps.amount as decimal(19, 2)) * exchange_rates.rate') }} as amount
    from steps
    left join exchange_rates
        on steps.currency_code = exchange_rates.from_currency
            and steps.document_date >= exchange_rates.valid_from
            and (
                exchange_rates.valid_to is null
                or steps.document_date < exchange_rates.valid_to
            )
)

select * from in_reporting_currency
