{#-
  A materialisation: components of a graph in which not all that is connected may come together.
  The model selects rows (kind, left_node, right_node, edge_rank):

    edge     two nodes and the rank of the edge, 1 the strongest; no two edges share a rank
    colour   a node and its colour; no component holds two colours
    apart    two nodes that no component may hold both

  The table is that of Kruskal's algorithm: edges are taken from the strongest to the weakest, and
  one that would break a rule is left out, so that what is cut is the weakest. `node`, `component`
  (its smallest node), one row per node of an edge.

  Edge by edge would be slow, so each round takes, everywhere at once, every edge that Kruskal is
  sure to take: the strongest allowed edge of a component without colour or parting (nothing can
  come between), and one that is the strongest allowed edge of both its ends. What is forbidden
  stays forbidden while components grow, so the order among these edges makes no difference.
-#}
{% materialization constrained_components, default %}
    {{ return(settled_components(
        compiled_code,
        constrained_first_labels,
        constrained_next_labels,
        constrained_result,
        config.get('round_limit', 500),
        'look for one huge component with conflicts and lower the group limit of the rule that makes it'
    )) }}
{% endmaterialization %}

{% macro constrained_first_labels(graph_rows) -%}
    select left_node as node, left_node as label
    from {{ graph_rows }}
    where kind = 'edge'
    union
    select right_node as node, right_node as label
    from {{ graph_rows }}
    where kind = 'edge'
{%- endmacro %}

{% macro constrained_next_labels(graph_rows, labels) -%}
    with pairs as (

        select
            graph_rows.kind,
            least(left_labels.label, right_labels.label) as left_label,
            greatest(left_labels.label, right_labels.label) as right_label,
            min(graph_rows.edge_rank) as edge_rank
        from {{ graph_rows }} as graph_rows
        inner join {{ labels }} as left_labels on graph_rows.left_node = left_labels.node
        inner join {{ labels }} as right_labels on graph_rows.right_node = right_labels.node
        where graph_rows.kind in ('edge', 'apart') and left_labels.label <> right_labels.label
        group by 1, 2, 3

    ),

    partings as (

        select left_label, right_label from pairs where kind = 'apart'

    ),

    colours as (

        select labels.label, max(graph_rows.right_node) as colour
        from {{ graph_rows }} as graph_rows
        inner join {{ labels }} as labels on graph_rows.left_node = labels.node
        where graph_rows.kind = 'colour'
        group by labels.label

    ),

    bound_labels as (

        select label from colours
        union
        select left_label as label from partings
        union
        select right_label as label from partings

    ),

    allowed as (

        select pairs.left_label, pairs.right_label, pairs.edge_rank
        from pairs
        left join partings
            on pairs.left_label = partings.left_label and pairs.right_label = partings.right_label
        left join colours as left_colours on pairs.left_label = left_colours.label
        left join colours as right_colours on pairs.right_label = right_colours.label
        where
            pairs.kind = 'edge'
            and partings.left_label is null
            and coalesce(left_colours.colour = right_colours.colour, true)

    ),

    ends as (

        select left_label as label, right_label as other, edge_rank from allowed
        union all
        select right_label as label, left_label as other, edge_rank from allowed

    ),

    strongest as (

        select label, min(edge_rank) as edge_rank from ends group by label

    ),

    wishes as (

        select ends.label, ends.other
        from ends
        inner join strongest on ends.label = strongest.label and ends.edge_rank = strongest.edge_rank

    ),

    parents as (

        select
            wishes.label,
            case
                when answers.other = wishes.label then least(wishes.label, wishes.other)
                else wishes.other
            end as parent
        from wishes
        inner join wishes as answers on wishes.other = answers.label
        left join bound_labels on wishes.label = bound_labels.label
        where bound_labels.label is null or answers.other = wishes.label

    )

    select
        labels.node,
        coalesce(jump_3.parent, jump_2.parent, jump_1.parent, labels.label) as label
    from {{ labels }} as labels
    left join parents as jump_1 on labels.label = jump_1.label
    left join parents as jump_2 on jump_1.parent = jump_2.label
    left join parents as jump_3 on jump_2.parent = jump_3.label
{%- endmacro %}

{% macro constrained_result(labels) -%}
    select
        node,
        min(node) over (partition by label) as component
    from {{ labels }}
{%- endmacro %}
