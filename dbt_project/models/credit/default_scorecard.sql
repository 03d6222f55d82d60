with bins as (
    select * from {{ ref('scorecard_bins') }}
),

scorecards as (
    select scorecard, version, valid_from, base_points from {{ ref('scorecards') }}
)

select
    bins.scorecard as scheme,
    bins.version,
    scorecards.valid_from,
    scorecards.base_points,
    bins.feature,
    bins.bin,
    coalesce(bins.category, '') as category,
    bins.lower as lower_bound,
    bins.upper as upper_bound,
    bins.is_missing,
    bins.good,
    bins.bad,
    bins.woe as weight_of_evidence,
    bins.information_value,
    bins.points
from bins
inner join scorecards
    on bins.scorecard = scorecards.scorecard
        and bins.version = scorecards.version
