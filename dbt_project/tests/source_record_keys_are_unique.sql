-- (source_system, source_record_id) names one record everywhere; two party tables of one system
-- that share a number would become one customer.
{{ config(group='identity', meta={'message_is_public': true}) }}

with repeated as (

    select
        source_system,
        source_record_id,
        {{ string_agg_distinct('record_kind') }} as record_kinds
    from {{ ref('int_source_records') }}
    group by source_system, source_record_id
    having count(*) > 1

)

select * from repeated
where {{ raise_error(
    "'Records of ' || source_system || ' (' || record_kinds || ') share a number: give one kind a'"
    ~ " || ' prefix of its own in its staging model, and wherever it is referred to'"
) }}
