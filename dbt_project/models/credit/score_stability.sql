-- Population stability index of each day's scores against the first day, over the classes of the
-- score: the sum of (share now - share then) x ln(share now / share then); half a customer is
-- added per class.
with scores as (
    select as_of_date, scheme, class_code from {{ ref('credit_scores') }}
),

days as (
    select
        scheme,
        as_of_date,
        min(as_of_date) over (partition by scheme) as first_as_of_date
    from scores
    group by scheme, as_of_date
),

classes as (
    select scorecard as scheme, class_code from {{ ref('credit_bands') }}
),

counted as (
    select
        days.scheme,
        days.as_of_date,
        days.first_as_of_date,
        classes.class_code,
        count(scores.class_code) + 0.5 as customers
    from days
    inner join classes
        on days.scheme = classes.scheme
    left join scores
        on days.scheme = scores.scheme
            and days.as_of_date = scores.as_of_date
            and classes.class_code = scores.class_code
    group by days.scheme, days.as_of_date, days.first_as_of_date, classes.class_code
),

shares as (
    select
        scheme,
        as_of_date,
        first_as_of_date,
        class_code,
        customers,
        {{ ratio('customers', 'sum(customers) over (partition by scheme, as_of_date)') }} as share
    from counted
),

compared as (
    select
        now.scheme,
        now.as_of_date,
        now.first_as_of_date,
        sum(now.customers - 0.5) as customers,
        sum(
            (now.share - first.share) * ln({{ ratio('now.share', 'first.share') }})
        ) as stability_index
    from shares as now
    inner join shares as first
        on now.scheme = first.scheme
            and now.first_as_of_date = first.as_of_date
            and now.class_code = first.class_code
    group by now.scheme, now.as_of_date, now.first_as_of_date
),

typed as (
    select
        scheme,
        as_of_date,
        first_as_of_date,
        cast(customers as bigint) as customers,
        {{ rounded('stability_index', 6) }} as stability_index
    from compared
),

bands as (
    select * from {{ ref('stability_bands') }}
),

limits as (
    select min(lower_index) as train_again_from
    from bands
    where is_to_be_trained_again
)

select
    typed.scheme,
    typed.as_of_date,
    typed.first_as_of_date,
    typed.customers,
    typed.stability_index,
    bands.band as stability_band,
    bands.label_en as stability_label_en,
    bands.label_zh as stability_label_zh,
    limits.train_again_from
from typed
cross join limits
inner join bands
    on (bands.lower_index is null or typed.stability_index >= bands.lower_index)
        and (bands.upper_index is null or typed.stability_index < bands.upper_index)
