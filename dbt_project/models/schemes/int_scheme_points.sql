with scheme_values as (
    select * from {{ ref('int_scheme_values') }}
),

indicators as (
    select * from {{ ref('scheme_indicators') }}
),

bands as (
    select * from {{ ref('scheme_bands') }}
),

lookups as (
    select * from {{ ref('scheme_lookups') }}
),

-- Whatever the direction, a higher merit is better.
with_method as (
    select
        scheme_values.as_of_date,
        scheme_values.scheme,
        scheme_values.version,
        scheme_values.customer_id,
        scheme_values.indicator,
        scheme_values.number_value,
        scheme_values.text_value,
        indicators.method,
        indicators.direction,
        indicators.band_count,
        indicators.lower_bound,
        indicators.upper_bound,
        case
            when indicators.direction = 'less_is_better' then 0 - scheme_values.number_value
            else scheme_values.number_value
        end as merit
    from scheme_values
    inner join indicators
        on scheme_values.scheme = indicators.scheme
            and scheme_values.version = indicators.version
            and scheme_values.indicator = indicators.indicator
),

present as (
    select * from with_method
    where case when method = 'lookup' then text_value is not null else merit is not null end
),

missing as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        indicator,
        number_value,
        text_value,
        cast(null as bigint) as band,
        cast(null as double) as points
    from with_method
    where case when method = 'lookup' then text_value is null else merit is null end
),

ranked as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        indicator,
        number_value,
        text_value,
        method,
        band_count,
        rank() over (
            partition by as_of_date, scheme, indicator
            order by merit asc nulls last
        ) - 1 as place,
        count(*) over (partition by as_of_date, scheme, indicator) - 1 as last_place
    from present
    where method in ('quantile', 'percentile')
),

-- One division of whole numbers, so that a value on the border of two bands lands exactly.
quantile_bands as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        indicator,
        number_value,
        text_value,
        method,
        band_count,
        place,
        last_place,
        least(
            band_count,
            1 + coalesce(
                cast(
                    floor(cast(band_count * place as double) / nullif(last_place, 0)) as bigint
                ),
                0
            )
        ) as band
    from ranked
),

ranked_points as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        indicator,
        number_value,
        text_value,
        case when method = 'quantile' then band end as band,
        case
            when method = 'quantile'
                then 100 * cast(band - 1 as double) / nullif(band_count - 1, 0)
            else coalesce(100 * cast(place as double) / nullif(last_place, 0), 0)
        end as points
    from quantile_bands
),

populations as (
    select
        as_of_date,
        scheme,
        indicator,
        min(number_value) as lowest,
        max(number_value) as highest
    from present
    where method = 'min_max'
    group by as_of_date, scheme, indicator
),

within_bounds as (
    select
        present.as_of_date,
        present.scheme,
        present.version,
        present.customer_id,
        present.indicator,
        present.number_value,
        present.text_value,
        present.direction,
        coalesce(present.lower_bound, populations.lowest) as lowest,
        coalesce(present.upper_bound, populations.highest) as highest
    from present
    inner join populations
        on present.as_of_date = populations.as_of_date
            and present.scheme = populations.scheme
            and present.indicator = populations.indicator
    where present.method = 'min_max'
),

-- Where all values are equal nobody is better: everyone gets half.
min_max_shares as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        indicator,
        number_value,
        text_value,
        direction,
        case
            when highest = lowest then 0.5e0
            else
                cast(least(greatest(number_value, lowest), highest) - lowest as double)
                / cast(highest - lowest as double)
        end as share
    from within_bounds
),

min_max_points as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        indicator,
        number_value,
        text_value,
        cast(null as bigint) as band,
        100 * case when direction = 'less_is_better' then 1 - share else share end as points
    from min_max_shares
),

band_points as (
    select
        present.as_of_date,
        present.scheme,
        present.version,
        present.customer_id,
        present.indicator,
        present.number_value,
        present.text_value,
        cast(bands.band as bigint) as band,
        cast(bands.points as double) as points
    from present
    inner join bands
        on present.scheme = bands.scheme
            and present.version = bands.version
            and present.indicator = bands.indicator
            and (bands.lower is null or present.number_value >= bands.lower)
            and (bands.upper is null or present.number_value < bands.upper)
    where present.method = 'band'
),

lookup_points as (
    select
        present.as_of_date,
        present.scheme,
        present.version,
        present.customer_id,
        present.indicator,
        present.number_value,
        present.text_value,
        cast(lookups.band as bigint) as band,
        cast(lookups.points as double) as points
    from present
    -- a value that nobody listed is treated like a missing one
    left join lookups
        on present.scheme = lookups.scheme
            and present.version = lookups.version
            and present.indicator = lookups.indicator
            and present.text_value = lookups.lookup_value
    where present.method = 'lookup'
),

unioned as (
    select * from ranked_points
    union all
    select * from min_max_points
    union all
    select * from band_points
    union all
    select * from lookup_points
    union all
    select * from missing
),

rounded as (
    select
        as_of_date,
        scheme,
        version,
        customer_id,
        indicator,
        number_value,
        text_value,
        band,
        cast(points as decimal(9, 4)) as points
    from unioned
)

select * from rounded
