{{ config(materialized='view') }}
-- A value lies in the bin lower <= value < upper, or in that of its category; what lies in none,
-- or is missing, has the points of the bin for missing values.
with versions as (
    select as_of_date, scorecard, version from {{ ref('int_scorecard_versions') }}
    where as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
),

bins as (
    select * from {{ ref('scorecard_bins') }}
),

features as (
    select
        scorecard,
        version,
        feature,
        feature_no,
        max(points) as best_points,
        max(case when is_missing then bin end) as missing_bin,
        max(case when is_missing then points end) as missing_points
    from bins
    group by scorecard, version, feature, feature_no
),

customer_metrics as (
    select * from {{ ref('customer_metrics') }}
    where open_amount is not null
),

feature_values as (
    select
        customer_metrics.as_of_date,
        customer_metrics.customer_id,
        features.*,
        case features.feature
            {%- for name in metric_names('number') %}
            when '{{ name }}' then cast(customer_metrics.{{ name }} as double)
            {%- endfor %}
        end as value_number,
        case features.feature
            {%- for name in metric_names('text') %}
            when '{{ name }}' then customer_metrics.{{ name }}
            {%- endfor %}
        end as value_text
    from customer_metrics
    inner join versions
        on customer_metrics.as_of_date = versions.as_of_date
    inner join features
        on versions.scorecard = features.scorecard
            and versions.version = features.version
)

select
    feature_values.as_of_date,
    feature_values.customer_id,
    feature_values.scorecard,
    feature_values.version,
    feature_values.feature,
    feature_values.feature_no,
    coalesce(bins.bin, feature_values.missing_bin) as bin,
    coalesce(bins.points, feature_values.missing_points) as points,
    bins.bin is null as is_missing,
    feature_values.best_points - coalesce(bins.points, feature_values.missing_points)
        as points_lost
from feature_values
left join bins
    on feature_values.scorecard = bins.scorecard
        and feature_values.version = bins.version
        and feature_values.feature = bins.feature
        and not bins.is_missing
        and (
            feature_values.value_text = bins.category
            or (
                bins.category is null
                and feature_values.value_number is not null
                and (bins.lower is null or feature_values.value_number >= bins.lower)
                and (bins.upper is null or feature_values.value_number < bins.upper)
            )
        )
