{{ config(
    post_hook="{{ stop_on_scheme_faults(this) }}",
    meta={"message_is_public": true}
) }}
with faults as (
    select fault from {{ ref('int_faults_of_schemes') }}
    union all
    select fault from {{ ref('int_faults_of_indicators') }}
    union all
    select fault from {{ ref('int_faults_of_bounds') }}
    union all
    select fault from {{ ref('int_faults_of_rules') }}
)

select * from faults
