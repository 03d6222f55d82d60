{#-
  A materialisation: the model selects edges (`left_node`, `right_node`), the table holds one row
  per node that has an edge: `node`, `component`. The component is the smallest node in it, so
  nodes that sort by age make the oldest one the name of its component.

  Each round lowers a node's label to the lowest among its neighbours and then jumps to the label
  of that label, which halves the distance left; it stops when a round changes nothing. Every
  round is a real table, because an engine without one would compute all rounds again.
-#}
{% materialization connected_components, default %}
    {{ return(settled_components(
        component_links(compiled_code),
        component_first_labels,
        component_next_labels,
        component_result,
        config.get('round_limit', 60),
        'look for one huge component among the edges and lower the group limit of the rule that makes it'
    )) }}
{% endmaterialization %}

{#- The table of such a materialisation: labels of the nodes of a graph, round after round, until
    none changes. Three macros say how: first labels of a graph, next labels of a graph and its
    labels, the result of the last labels. `remedy` is told when `round_limit` rounds are not enough. -#}
{% macro settled_components(graph_query, first_labels, next_labels, result, round_limit, remedy) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set graph_rows = component_step(target_relation, 'graph') -%}
    {%- set current = component_step(target_relation, 'labels_a') -%}
    {%- set next = component_step(target_relation, 'labels_b') -%}

    {{ run_hooks(pre_hooks) }}

    {%- do write_step(graph_rows, graph_query) -%}
    {%- do write_step(current, first_labels(graph_rows)) -%}

    {%- set state = namespace(relation=current, spare=next, changed=1, rounds=0) -%}
    {%- for round in range(round_limit) if state.changed > 0 -%}
        {%- do write_step(state.spare, next_labels(graph_rows, state.relation)) -%}
        {%- set state.changed = changed_labels(state.relation, state.spare) -%}
        {%- set swapped = state.relation -%}
        {%- set state.relation = state.spare -%}
        {%- set state.spare = swapped -%}
        {%- set state.rounds = state.rounds + 1 -%}
    {%- endfor -%}
    {%- if state.changed > 0 -%}
        {{ exceptions.raise_compiler_error(
            this ~ " did not settle in " ~ round_limit ~ " rounds: " ~ remedy ~ "."
        ) }}
    {%- endif -%}
    {%- do log(this ~ ": settled after " ~ state.rounds ~ " rounds") -%}

    {%- if existing_relation is not none -%}
        {%- do adapter.drop_relation(existing_relation) -%}
    {%- endif -%}
    {% call statement('main') -%}
        {{ create_table_as(False, target_relation, result(state.relation)) }}
    {%- endcall %}
    {{ adapter.commit() }}

    {%- for step in [graph_rows, current, next] -%}
        {%- do drop_relation_if_exists(step) -%}
    {%- endfor -%}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{%- endmacro %}

{% macro component_step(target, name) -%}
    {{ return(api.Relation.create(
        database=target.database,
        schema=target.schema,
        identifier=target.identifier ~ '__' ~ name,
        type='table'
    )) }}
{%- endmacro %}

{% macro write_step(relation, query) -%}
    {%- do adapter.drop_relation(relation) -%}
    {%- call statement('write_step', fetch_result=false, auto_begin=false) -%}
        {{ create_table_as(False, relation, query) }}
    {%- endcall -%}
{%- endmacro %}

{% macro component_links(edges) -%}
    select left_node as node, right_node as neighbour
    from (
        {{ edges }}
    ) as edges
    where left_node is not null and right_node is not null
    union
    select right_node as node, left_node as neighbour
    from (
        {{ edges }}
    ) as edges
    where left_node is not null and right_node is not null
{%- endmacro %}

{% macro component_first_labels(links) -%}
    select node, least(node, min(neighbour)) as label
    from {{ links }}
    group by node
{%- endmacro %}

{% macro component_next_labels(links, labels) -%}
    with lowest as (

        select links.node, min(labels.label) as label
        from {{ links }} as links
        inner join {{ labels }} as labels on links.neighbour = labels.node
        group by links.node

    ),

    lowered as (

        select labels.node, least(labels.label, lowest.label) as label
        from {{ labels }} as labels
        inner join lowest on labels.node = lowest.node

    )

    select lowered.node, least(lowered.label, jumped.label) as label
    from lowered
    inner join lowered as jumped on lowered.label = jumped.node
{%- endmacro %}

{% macro component_result(labels) -%}
    select node, label as component
    from {{ labels }}
{%- endmacro %}

{% macro changed_labels(before, after) -%}
    {%- call statement('changed_labels', fetch_result=true, auto_begin=false) -%}
        select count(*) as changed
        from {{ before }} as before_round
        inner join {{ after }} as after_round on before_round.node = after_round.node
        where before_round.label <> after_round.label
    {%- endcall -%}
    {{ return(load_result('changed_labels')['data'][0][0] | int) }}
{%- endmacro %}
