with measures as (

    select * from {{ ref('int_identity_measures') }}

),

limits as (

    select * from {{ ref('identity_limits') }}

)

select
    {{ newest_as_of_date() }} as as_of_date,
    measures.measure,
    measures.measured,
    measures.measured_before,
    cast(measures.measured - measures.measured_before as decimal(18, 6)) as growth,
    measures.sample_size,
    limits.minimum,
    limits.maximum,
    case
        when limits.measure is null or measures.measured is null then true
        when measures.sample_size < limits.smallest_sample then true
        else
            measures.measured >= coalesce(limits.minimum, measures.measured)
            and measures.measured <= coalesce(limits.maximum, measures.measured)
    end as is_within_limits
from measures
left join limits on measures.measure = limits.measure
