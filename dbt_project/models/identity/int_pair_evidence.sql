{{ config(access='protected') }}

-- Why two records are one customer: per edge inside a customer, what spoke for it and against it.
with edges as (

    select * from {{ ref('int_identity_edges') }}

),

customer_records as (

    select age_key, customer_id from {{ ref('int_customer_records') }}

),

match_rules as (

    select rule, party_kind, description from {{ ref('match_rules') }}

),

linkage_pairs as (

    select left_age_key, right_age_key, match_weight from {{ ref('int_linkage_pairs') }}

),

explanations as (

    select * from {{ source('analytics', 'linkage_explanations') }}

),

comparisons as (

    select
        least(left_record_key, right_record_key) as first_record_key,
        greatest(left_record_key, right_record_key) as second_record_key,
        comparison,
        max(level) as agreement,
        {{ rounded('max(weight)', 4, 10) }} as weight
    from explanations
    group by 1, 2, 3

),

inner_edges as (

    select
        edges.*,
        left_records.customer_id,
        linkage_pairs.match_weight,
        -- a rule's probability as weight in bits; a decision needs none
        case
            when edges.match_rule <> 'must_link'
                then log2({{ ratio('edges.match_probability', '1 - edges.match_probability') }})
        end as rule_weight
    from edges
    inner join customer_records as left_records on edges.left_age_key = left_records.age_key
    inner join customer_records as right_records
        on
            edges.right_age_key = right_records.age_key
            and left_records.customer_id = right_records.customer_id
    left join linkage_pairs
        on
            edges.left_age_key = linkage_pairs.left_age_key
            and edges.right_age_key = linkage_pairs.right_age_key

)

select
    inner_edges.customer_id,
    inner_edges.left_record_key,
    inner_edges.right_record_key,
    inner_edges.match_rule,
    inner_edges.match_probability,
    coalesce(comparisons.comparison, inner_edges.match_rule) as comparison,
    coalesce(comparisons.agreement, 'equal') as agreement,
    case
        when inner_edges.match_rule = 'linkage'
            then coalesce(comparisons.weight, inner_edges.match_weight)
        else {{ rounded('inner_edges.rule_weight', 4, 10) }}
    end as weight,
    case inner_edges.match_rule
        when 'must_link' then 'A person said that both records are one customer.'
        when 'linkage'
            then 'No rule ties these records; taken together, what was compared speaks with '
                || coalesce(cast(inner_edges.match_weight as {{ text_type() }}), 'unknown')
                || ' bits for one customer, probability '
                || cast(inner_edges.match_probability as {{ text_type() }}) || '.'
        else coalesce(match_rules.description, inner_edges.match_rule)
            || '; such a tie is right with probability '
            || cast(inner_edges.match_probability as {{ text_type() }}) || '.'
    end as sentence
from inner_edges
left join comparisons
    on
        inner_edges.match_rule = 'linkage'
        and least(inner_edges.left_record_key, inner_edges.right_record_key)
        = comparisons.first_record_key
        and greatest(inner_edges.left_record_key, inner_edges.right_record_key)
        = comparisons.second_record_key
left join match_rules
    on
        inner_edges.match_rule = match_rules.rule
        and inner_edges.party_kind = match_rules.party_kind
