{% set sizes = [(1, 1), (2, 2), (3, 5), (6, 20), (21, 9999)] %}
{% set counts = [
    'customers', 'records', 'largest_cluster', 'customers_of_1_to_1', 'customers_of_2_to_2',
    'customers_of_3_to_5', 'customers_of_6_to_20', 'customers_of_21_to_9999',
] %}

{{ config(access='protected') }}

with customer_records as (

    select record_key, customer_id from {{ ref('int_customer_records') }}

),

previous_customers as (

    select record_key, customer_id from {{ ref('int_previous_customers') }}

),

changes as (

    select customer_id_before, change_kind from {{ ref('int_new_changes') }}

),

labelled_pairs as (

    select * from {{ ref('labelled_pairs') }}

),

sizes as (

    select customer_id, count(*) as record_count
    from customer_records
    group by customer_id

),

previous_sizes as (

    select customer_id, count(*) as record_count
    from previous_customers
    group by customer_id

),

growth as (

    select max(sizes.record_count - previous_sizes.record_count) as most_gained
    from sizes
    inner join previous_sizes on sizes.customer_id = previous_sizes.customer_id

),

tied_labels as (

    select
        count(*) as tied,
        count(case when labelled_pairs.is_same then 1 end) as tied_rightly
    from labelled_pairs
    inner join customer_records as left_records
        on labelled_pairs.left_record_key = left_records.record_key
    inner join customer_records as right_records
        on
            labelled_pairs.right_record_key = right_records.record_key
            and left_records.customer_id = right_records.customer_id

),

{% for period, relation in [('of_today', 'sizes'), ('of_before', 'previous_sizes')] %}
{{ period }} as (

    select
        {% for least, most in sizes %}
        count(case when record_count between {{ least }} and {{ most }} then 1 end)
            as customers_of_{{ least }}_to_{{ most }},
        {% endfor %}
        count(*) as customers,
        sum(record_count) as records,
        max(record_count) as largest_cluster
    from {{ relation }}

),

{% endfor %}
changed as (

    select
        count(distinct customer_id_before) as ids_changed,
        count(case when change_kind = 'merge' then 1 end) as ids_merged,
        count(case when change_kind = 'split' then 1 end) as ids_split_off
    from changes

)

{% for measure in counts %}
select
    '{{ measure }}' as measure,
    cast(coalesce(of_today.{{ measure }}, 0) as decimal(18, 6)) as measured,
    cast(of_before.{{ measure }} as decimal(18, 6)) as measured_before,
    cast(of_today.customers as bigint) as sample_size
from of_today
cross join of_before

union all
{% endfor %}
{% for measure, value, sample in [
    ('ids_changed', 'ids_changed', 'of_before.customers'),
    ('ids_merged', 'ids_merged', 'of_before.customers'),
    ('ids_split_off', 'ids_split_off', 'of_before.customers'),
    ('cluster_growth', 'greatest(coalesce(most_gained, 0), 0)', 'of_before.customers'),
    ('changed_id_share', ratio('ids_changed', 'of_before.customers'), 'of_before.customers'),
    ('label_precision', ratio('tied_rightly', 'tied'), 'tied'),
] %}
select
    '{{ measure }}' as measure,
    {{ rounded(value, 6) }} as measured,
    cast(null as decimal(18, 6)) as measured_before,
    cast({{ sample }} as bigint) as sample_size
from changed
cross join of_before
cross join growth
cross join tied_labels
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
