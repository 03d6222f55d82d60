-- The scorecard as SQL: whole points, summed, cut at the bounds; the same number as in Python.
with points as (
    select
        *,
        row_number() over (
            partition by as_of_date, customer_id, scorecard
            order by points_lost desc nulls last, feature_no asc nulls last
        ) as loss_rank
    from {{ ref('int_scorecard_points') }}
),

versions as (
    select * from {{ ref('int_scorecard_versions') }}
),

bands as (
    select * from {{ ref('credit_bands') }}
),

customer_metrics as (
    select as_of_date, customer_id, billed_12m from {{ ref('customer_metrics') }}
    where as_of_date in (select dates.as_of_date from {{ ref('int_credit_dates') }} as dates)
),

summed as (
    select
        as_of_date,
        customer_id,
        scorecard,
        version,
        sum(points) as points,
        count(*) as features,
        sum(case when is_missing then 1 else 0 end) as missing_features,
        max(case when loss_rank = 1 and points_lost > 0 then feature end) as first_reason,
        max(case when loss_rank = 2 and points_lost > 0 then feature end) as second_reason,
        max(case when loss_rank = 3 and points_lost > 0 then feature end) as third_reason
    from points
    group by as_of_date, customer_id, scorecard, version
),

scored as (
    select
        summed.*,
        cast(
            greatest(
                least(versions.base_points + summed.points, versions.highest_score),
                versions.lowest_score
            ) as integer
        ) as score,
        versions.score_offset,
        versions.score_factor
    from summed
    inner join versions
        on summed.as_of_date = versions.as_of_date
            and summed.scorecard = versions.scorecard
),

with_probability as (
    select
        *,
        {{ ratio('1', '1 + exp(' ~ ratio('score - score_offset', 'score_factor') ~ ')') }}
            as probability,
        missing_features >= {{ var('thin_information_share') }} * features as is_thin
    from scored
)

select
    scores.as_of_date,
    scores.customer_id,
    scores.scorecard as scheme,
    scores.version,
    scores.score,
    {{ rounded('scores.probability', 6, 9) }} as probability_of_default,
    bands.class_code,
    bands.class_rank,
    bands.label_en as class_label_en,
    bands.label_zh as class_label_zh,
    bands.proposed_decision,
    least(
        {{ rounded(ratio(
            'bands.limit_months * coalesce(customer_metrics.billed_12m, 0)', '12'
        ), 2) }},
        bands.highest_limit
    ) as proposed_limit,
    bands.yearly_rate as proposed_rate,
    bands.needs_review or scores.is_thin as needs_review,
    cast(scores.missing_features as bigint) as missing_features,
    scores.is_thin as has_thin_information,
    concat_ws(', ', scores.first_reason, scores.second_reason, scores.third_reason) as reason_codes,
    '{{ var("reporting_currency") }}' as currency_code
from with_probability as scores
inner join bands
    on scores.scorecard = bands.scorecard
        and (bands.lower is null or scores.score >= bands.lower)
        and (bands.upper is null or scores.score < bands.upper)
inner join customer_metrics
    on scores.as_of_date = customer_metrics.as_of_date
        and scores.customer_id = customer_metrics.customer_id
