"""Components under constraints are those of Kruskal's algorithm, whatever the graph."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.dbt_project.scratch_warehouse import ScratchWarehouse

Edge = tuple[str, str, int]
GRAPHS = 120


def _kruskal(
    edges: list[Edge], colours: dict[str, str], apart: list[tuple[str, str]]
) -> dict[str, str]:
    """Node to the smallest node of its component; edges from the strongest on, one by one."""
    part = {node: {node} for left, right, _ in edges for node in (left, right)}
    for left, right, _ in sorted(edges, key=lambda edge: edge[2]):
        both = part[left] | part[right]
        shades = {colours[node] for node in both if node in colours}
        if len(shades) < 2 and not any(a in both and b in both for a, b in apart):
            for node in both:
                part[node] = both
    return {node: min(nodes) for node, nodes in part.items()}


@pytest.fixture(scope="module")
def graph() -> tuple[list[Edge], dict[str, str], list[tuple[str, str]]]:
    """Many small graphs of every density, a star and a long chain, in one; ranks all different."""
    chance = random.Random(5)
    pairs: list[tuple[str, str]] = []
    colours: dict[str, str] = {}
    apart: list[tuple[str, str]] = []
    for number in range(GRAPHS):
        nodes = [f"g{number:03}n{node:02}" for node in range(chance.randrange(3, 14))]
        for _ in range(chance.randrange(len(nodes) - 1, 3 * len(nodes))):
            left, right = chance.sample(nodes, 2)
            pairs.append((left, right))
        shades = chance.randrange(1, 4)
        for node in nodes:
            if chance.random() < 0.4:
                colours[node] = f"shade {chance.randrange(shades)}"
        for _ in range(chance.randrange(3)):
            first, second = chance.sample(nodes, 2)
            apart.append((first, second))
    star = [("s000", f"s{node:03}") for node in range(1, 150)]
    chain = [(f"t{node:03}", f"t{node + 1:03}") for node in range(150)]
    colours |= {"s001": "a", "s002": "b", "t000": "a", "t075": "b", "t150": "a"}
    pairs += star + chain
    ranks = random.Random(6).sample(range(1, 10 * len(pairs)), len(pairs))
    edges = [(left, right, rank) for (left, right), rank in zip(pairs, ranks, strict=True)]
    return edges, colours, apart


def test_components_are_those_of_kruskal(
    tmp_path: Path, graph: tuple[list[Edge], dict[str, str], list[tuple[str, str]]]
) -> None:
    edges, colours, apart = graph
    rows = [f"('edge', '{left}', '{right}', {rank})" for left, right, rank in edges]
    rows += [f"('colour', '{node}', '{shade}', null)" for node, shade in colours.items()]
    rows += [f"('apart', '{left}', '{right}', null)" for left, right in apart]
    warehouse = ScratchWarehouse.make(tmp_path / "graph", [], {})
    warehouse.execute(
        "create schema facts",
        "create table facts.graph_rows (kind varchar, left_node varchar, right_node varchar,"
        " edge_rank bigint)",
        f"insert into facts.graph_rows values {', '.join(rows)}",
    )
    (warehouse.folder / "models" / "core" / "parts.sql").write_text(
        "{{ config(materialized='constrained_components') }}\nselect * from facts.graph_rows\n",
        encoding="utf-8",
    )
    warehouse.build("--select", "parts")
    found = dict(warehouse.query("select node, component from core.parts"))
    expected = _kruskal(edges, colours, apart)
    assert len({*expected.values()}) > GRAPHS, "constraints cut something"
    assert found == expected
    left_over = warehouse.query(
        "select table_name from duckdb_tables() where table_name like '%parts%'"
    )
    assert left_over == [("parts",)], "the rounds leave nothing behind"
