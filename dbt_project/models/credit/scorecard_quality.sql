select
    scorecard as scheme,
    version,
    kind,
    position,
    name,
    value
from {{ ref('scorecard_figures') }}
