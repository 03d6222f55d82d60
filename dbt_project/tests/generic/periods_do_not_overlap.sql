{#- Of the periods of a group, each ends on or before the day the next one begins; only the last may
    be open. -#}
{% test periods_do_not_overlap(model, group_by) %}

select *
from (
    select
        {{ group_by | join(', ') }},
        valid_from,
        valid_to,
        lead(valid_from) over (
            partition by {{ group_by | join(', ') }}
            order by valid_from asc nulls last
        ) as next_valid_from
    from {{ model }}
) as periods
where next_valid_from is not null
    and (valid_to is null or valid_to > next_valid_from)

{% endtest %}
