"""Components made by dbt equal those of networkx, whatever the shape of the edges."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import networkx as nx
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from kehu.settings import CLONE

Edges = list[tuple[str, str]]

SCENARIOS: dict[str, Edges] = {
    "pair": [("a", "b")],
    "chain": [("c1", "c2"), ("c2", "c3"), ("c3", "c4")],
    "chain told backwards": [("d4", "d3"), ("d3", "d2"), ("d2", "d1")],
    "fan in": [("e2", "e1"), ("e3", "e1"), ("e4", "e1")],
    "fan out": [("f1", "f2"), ("f1", "f3"), ("f1", "f4")],
    "diamond": [("g1", "g2"), ("g1", "g3"), ("g2", "g4"), ("g3", "g4")],
    "ring": [("h1", "h2"), ("h2", "h3"), ("h3", "h1")],
    "told twice": [("i1", "i2"), ("i2", "i1"), ("i1", "i2")],
    "two that meet late": [("j1", "j2"), ("j8", "j9"), ("j2", "j8")],
    "long chain in any order": [(f"k{n:03}", f"k{n + 1:03}") for n in range(300)],
}


def _components(edges: Edges) -> dict[str, str]:
    """Node to the smallest node of its component, by another implementation."""
    graph: nx.Graph[str] = nx.Graph(edges)
    return {node: min(part) for part in nx.connected_components(graph) for node in part}


def _project(folder: Path, edges: Iterable[tuple[str, str]]) -> None:
    (folder / "models").mkdir(parents=True)
    (folder / "seeds").mkdir()
    (folder / "dbt_project.yml").write_text(
        "name: components\n"
        "profile: components\n"
        f"macro-paths: ['{CLONE / 'dbt_project' / 'macros'}']\n"
        "flags: {send_anonymous_usage_stats: false}\n"
        "seeds: {components: {+column_types: {left_node: varchar, right_node: varchar}}}\n"
    )
    (folder / "profiles.yml").write_text(
        "components: {target: here, outputs: {here: "
        f"{{type: duckdb, path: '{folder / 'work.duckdb'}', schema: graph}}}}}}\n"
    )
    (folder / "seeds" / "edges.csv").write_text(
        "left_node,right_node\n" + "".join(f"{left},{right}\n" for left, right in edges)
    )
    (folder / "models" / "components.sql").write_text(
        "{{ config(materialized='connected_components') }}\n"
        "select left_node, right_node from {{ ref('edges') }}\n"
    )


def _build(folder: Path) -> dict[str, str]:
    import duckdb

    outcome = dbtRunner().invoke(
        [
            *("build", "--quiet", "--no-version-check", "--project-dir", str(folder)),
            *("--profiles-dir", str(folder), "--target-path", str(folder / "target")),
            *("--log-path", str(folder / "logs")),
        ]
    )
    DuckDBConnectionManager.close_all_connections()
    assert outcome.success, outcome.exception or outcome.result
    with duckdb.connect(str(folder / "work.duckdb"), read_only=True) as connection:
        tables = connection.sql("select table_name from duckdb_tables() order by 1").fetchall()
        assert tables == [("components",), ("edges",)], "the rounds leave nothing behind"
        found = connection.sql("select node, component from graph.components").fetchall()
    assert len(found) == len(dict(found)), "each node stands once"
    return dict(found)


@pytest.fixture(scope="module")
def components(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every scenario and a random graph in one build, rows in random order."""
    chance = random.Random(7)
    edges = [edge for scenario in SCENARIOS.values() for edge in scenario]
    edges += _random_edges()
    chance.shuffle(edges)
    folder = tmp_path_factory.mktemp("components")
    _project(folder, edges)
    return _build(folder)


def _random_edges() -> Edges:
    chance = random.Random(11)
    return [(f"z{chance.randrange(2000):04}", f"z{chance.randrange(2000):04}") for _ in range(1400)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(components: dict[str, str], scenario: str) -> None:
    expected = _components(SCENARIOS[scenario])
    assert {node: components[node] for node in expected} == expected


def test_random_graph(components: dict[str, str]) -> None:
    expected = _components(_random_edges())
    assert len(set(expected.values())) > 100
    assert {node: components[node] for node in expected} == expected
