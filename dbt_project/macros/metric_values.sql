{#-
  Metrics by name: what a scheme may name. The list must equal the columns in the YAML of that model; the build
  stops when a metric is added to one of them only.
-#}

{#- The names of all metrics that are numbers, or of those that are texts. -#}
{% macro metric_names(kind='number') -%}
    {%- set numbers = [
        'recency_days', 'frequency_12m', 'frequency_total', 'order_count_12m', 'monetary_12m',
        'monetary_total', 'margin_12m', 'margin_rate', 'service_cost_12m', 'tenure_days',
        'order_interval_mean', 'order_interval_cv', 'average_stay_minutes',
        'discount_rate_mean', 'product_class_count', 'wallet_share', 'growth_12m', 'kwh_12m',
        'supply_voltage_kv_max', 'contracted_capacity_kva', 'billed_12m', 'collected_12m',
        'collection_rate', 'on_time_share', 'days_late_mean', 'days_late_max', 'open_amount',
        'overdue_amount', 'overdue_days_max', 'overdue_count', 'in_transit_amount',
        'collection_count', 'bounced_count', 'arrears_months_12m', 'written_off_count',
        'written_off_amount', 'guarantee_amount', 'utilisation_of_guarantee', 'contacts_12m',
        'complaints_12m', 'complaint_satisfied_share', 'satisfaction_mean', 'loyalty_score',
        'follow_up_answered_share', 'referral_count', 'violations_24m', 'hazards_open',
        'contract_breaches_24m', 'channel_count', 'complaints_open', 'monetary_mean',
        'wallet_headroom', 'risk_rate', 'risk_cost_12m', 'net_gain_12m', 'relationship_value',
    ] -%}
    {%- set texts = ['last_system', 'usage_category', 'importance_class'] -%}
    {{ return(numbers if kind == 'number' else texts) }}
{%- endmacro %}

{#- The value of the metric that `name` (an expression) names in the row `relation`: the numbers as
    decimal(24, 6), or the texts; NULL when the metric is of the other kind. -#}
{% macro metric_value(relation, name, kind='number') -%}
    {%- set type = 'decimal(24, 6)' if kind == 'number' else text_type() -%}
    case {{ name }}
        {%- for metric in metric_names(kind) %}
        when '{{ metric }}' then cast({{ relation }}.{{ metric }} as {{ type }})
        {%- endfor %}
    end
{%- endmacro %}

{#- Stops the build when the list above and the columns of customer_metrics differ. -#}
{% macro check_metric_names() -%}
    {%- if execute and graph.nodes is defined -%}
        {%- set listed = metric_names('number') + metric_names('text') -%}
        {%- set columns = [] -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.customer_metrics'] -%}
        {%- for column in node.columns.values()
                if column.name not in ['customer_id', 'currency_code']
                and column.data_type != 'date' -%}
            {%- do columns.append(column.name) -%}
        {%- endfor -%}
        {%- set different = [] -%}
        {%- for name in listed + columns if name not in listed or name not in columns -%}
            {%- do different.append(name) -%}
        {%- endfor -%}
        {%- if different | length > 0 -%}
            {{ exceptions.raise_compiler_error(
                'macros/metric_values.sql and the YAML of customer_metrics differ in: '
                ~ different | join(', ') ~ '. Write the metric into both.'
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
