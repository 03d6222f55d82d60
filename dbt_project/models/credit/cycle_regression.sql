select
    as_of_date,
    term,
    coefficient,
    standard_error,
    t_value,
    p_value,
    variance_inflation,
    observations,
    r_squared,
    note
from {{ source('analytics', 'cycle_regression') }}
