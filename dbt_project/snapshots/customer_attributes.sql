{% snapshot customer_attributes %}
{{ config(
    unique_key='customer_id',
    strategy='check',
    check_cols='all',
    updated_at=newest_as_of_date(),
    hard_deletes='invalidate',
    snapshot_meta_column_names={
        'dbt_valid_from': 'valid_from',
        'dbt_valid_to': 'valid_to',
        'dbt_updated_at': 'told_on',
        'dbt_scd_id': 'version_id',
    },
    pre_hook=['{{ forget_rows_of_newest_day() }}', '{{ reopen_rows_of_newest_day() }}'],
) }}
select
    customer_id,
    customer_type,
    display_name,
    region,
    first_seen_date,
    in_billing,
    in_his,
    in_orders,
    in_service,
    phone_masked,
    email_masked,
    phone_hash,
    email_hash,
    identity_no_hash,
    hash_key_id
from {{ ref('dim_customers') }}
{% endsnapshot %}
