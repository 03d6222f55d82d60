{{ config(
    pre_hook="{{ forget_later_periods(ref('int_history_dates'), 'valid_from') }}",
    unique_key=['scheme', 'customer_id', 'valid_from'],
    incremental_strategy=upsert_strategy(),
) }}
{%- set plan = scheme_plan() -%}
{%- set schemes = plan | map(attribute='scheme') | unique | list -%}
{%- set of_customer -%}
over (
            partition by points.customer_id
            order by points.as_of_date asc nulls last
        )
{%- endset -%}
-- columns stand in loops that the linter does not run
-- noqa: disable=LT02
with dates as (
    select * from {{ ref('int_history_dates') }}
),

points as (
    select points.*
    from {{ ref('int_scheme_points') }} as points
    inner join dates
        on points.as_of_date = dates.as_of_date
),

as_of_dates as (
    select as_of_date, previous_as_of_date, next_as_of_date from {{ ref('int_as_of_dates') }}
),

class_names as (
    {{ numbered_classes(plan) }}
),

-- All schemes side by side, so that each customer is sorted once.
with_neighbours as (
    select
        points.customer_id,
        points.as_of_date,
        as_of_dates.next_as_of_date,
        lag(points.as_of_date) {{ of_customer }} = as_of_dates.previous_as_of_date as goes_on,
        lead(points.as_of_date) {{ of_customer }} = as_of_dates.next_as_of_date as is_followed
        {%- for scheme in schemes %},
        {{ said_by(plan, scheme, 'class_no') }} as {{ scheme }}__class,
        {{ said_by(plan, scheme, 'class_rank') }} as {{ scheme }}__class_rank,
        lag({{ said_by(plan, scheme, 'class_no') }}) {{ of_customer }} as {{ scheme }}__before,
        lead({{ said_by(plan, scheme, 'class_no') }}) {{ of_customer }} as {{ scheme }}__after
        {%- endfor %}
    from points
    inner join as_of_dates
        on points.as_of_date = as_of_dates.as_of_date
),

-- A period begins where the class is another, or where the customer had none the time before, and
-- ends likewise. No row at first: it says the types, and holds where no scheme is in force.
bounds as (
    select
        cast('' as {{ text_type() }}) as scheme,
        customer_id,
        cast(0 as smallint) as class_no,
        cast(0 as integer) as class_rank,
        as_of_date,
        next_as_of_date,
        false as is_first,
        false as is_last
    from with_neighbours
    where 1 = 0
    {%- for scheme in schemes %}
    union all
    select
        '{{ scheme }}' as scheme,
        customer_id,
        {{ scheme }}__class as class_no,
        {{ scheme }}__class_rank as class_rank,
        as_of_date,
        next_as_of_date,
        not coalesce(goes_on and {{ scheme }}__class = {{ scheme }}__before, false) as is_first,
        not coalesce(is_followed and {{ scheme }}__class = {{ scheme }}__after, false) as is_last
    from with_neighbours
    where {{ scheme }}__class is not null
    {%- endfor %}
),

{% if is_incremental() -%}
-- Periods in which the last day lies that stands as it was told.
going_on as (
    select told.scheme, told.customer_id, told.valid_from, told.valid_to, dates.as_of_date
    from {{ this }} as told
    inner join dates
        on dates.is_kept
            and told.valid_from <= dates.as_of_date
            and coalesce(told.valid_to > dates.as_of_date, true)
),

-- none, mostly
ended as (
    select scheme, customer_id from going_on
    where valid_to is not null
),

told_again as (
    select
        count(*) = 2 and count(case when is_kept then 1 end) = 1 as is_one_day_more,
        (select count(*) from ended) > 0 as has_ended
    from dates
),

-- Where a single day follows that one, as it does from day to day, who has the same class on both
-- goes on as told. Most do: they are left out, but for those whose period had ended.
longer as (
    select
        bounds.scheme,
        bounds.customer_id,
        bounds.class_no,
        bounds.class_rank,
        bounds.as_of_date,
        bounds.is_first,
        bounds.next_as_of_date
    from bounds
    cross join told_again
    where bounds.is_first <> bounds.is_last
        and not told_again.is_one_day_more
    union all
    select
        bounds.scheme,
        bounds.customer_id,
        bounds.class_no,
        bounds.class_rank,
        bounds.as_of_date,
        bounds.is_first,
        bounds.next_as_of_date
    from bounds
    cross join told_again
    inner join ended
        on bounds.scheme = ended.scheme
            and bounds.customer_id = ended.customer_id
    where bounds.is_first <> bounds.is_last
        and told_again.is_one_day_more
        and told_again.has_ended
),
{%- else -%}
longer as (
    select scheme, customer_id, class_no, class_rank, as_of_date, is_first, next_as_of_date
    from bounds
    where is_first <> is_last
),
{%- endif %}

periods as (
    select scheme, customer_id, class_no, class_rank, as_of_date, is_first, next_as_of_date
    from bounds
    where is_first and is_last
    union all
    select
        scheme,
        customer_id,
        class_no,
        class_rank,
        as_of_date,
        is_first,
        lead(next_as_of_date) over (
            partition by scheme, customer_id
            order by as_of_date asc nulls last
        ) as next_as_of_date
    from longer
),

told_from_the_first as (
    select
        periods.scheme,
        periods.customer_id,
        class_names.class_code,
        periods.class_rank,
        {{ 'coalesce(going_on.valid_from, periods.as_of_date)' if is_incremental()
            else 'periods.as_of_date' }} as valid_from,
        periods.next_as_of_date as valid_to
    from periods
    inner join class_names
        on periods.scheme = class_names.scheme
            and periods.class_no = class_names.class_no
    {%- if is_incremental() %}
    left join going_on
        on periods.scheme = going_on.scheme
            and periods.customer_id = going_on.customer_id
            and periods.as_of_date = going_on.as_of_date
    {%- endif %}
    where periods.is_first
        {%- if is_incremental() %}
        -- as it stands: written only where it is new, or ends otherwise
        and (
            going_on.valid_from is null
            or periods.next_as_of_date is distinct from going_on.valid_to
        )
        {%- endif %}
)

select * from told_from_the_first
