"""Every table that dbt makes holds the same rows on DuckDB and on Spark's SQL, on both days."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import networkx as nx
import pyarrow as pa
import pytest

from tests.parity.comparing import Difference, compare
from tests.parity.conftest import Day
from tests.parity.engines import PROJECT, Spark

pytestmark = [pytest.mark.parity, pytest.mark.timeout(1800)]
"""One fixture builds two days on two engines; a loaded machine needs minutes for it."""

FILLED = (
    "identity.int_clusters",
    "identity.int_new_assignments",
    "customer.customer_timeline",
    "customer.identity_explanations",
    "core.fct_transactions",
    "core.fct_receipt_allocations",
    "value.customer_metrics",
    "value.score_details",
    "value.rfm",
    "value.class_history",
    "credit.credit_grades",
    "customer.customer_360",
    "snapshots.customer_attributes",
)


def differences(
    duck: dict[str, pa.Table], spark: dict[str, pa.Table], keys: dict[str, list[str]]
) -> list[Difference]:
    """Of all tables that either engine has."""
    missing = [
        Difference(name, f"is on {'duckdb' if name in duck else 'spark'} only")
        for name in sorted(duck.keys() ^ spark.keys())
    ]
    return missing + [
        found
        for name in sorted(duck.keys() & spark.keys())
        if (found := compare(name, duck[name], spark[name], keys.get(name, [])))
    ]


@pytest.mark.parametrize("number", [1, 2])
def test_tables_are_equal(days: list[Day], number: int) -> None:
    day = days[number - 1]
    found = differences(day.duck, day.spark, day.keys)
    assert not found, f"{len(found)} tables differ\n" + "\n".join(map(str, found))


def test_every_table_was_compared(days: list[Day]) -> None:
    models = {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    for day in days:
        assert models <= {name.split(".")[1] for name in day.spark}
        assert [name for name in FILLED if day.spark[name].num_rows == 0] == []


def test_keys_are_unique(days: list[Day]) -> None:
    """Of every table whose YAML names a key."""
    for day in days:
        assert len(day.keys) > 200
        twice = {
            name: key
            for name, key in day.keys.items()
            if day.spark[name].group_by(key).aggregate([]).num_rows != day.spark[name].num_rows
        }
        assert twice == {}


def test_the_second_day_is_another(days: list[Day]) -> None:
    first, second = (day.spark for day in days)
    same = [name for name in FILLED if first[name].equals(second[name])]
    assert same == [], "nothing happened between the days"


def test_the_snapshot_tells_of_both_days(days: list[Day]) -> None:
    rows = days[1].spark["snapshots.customer_attributes"].to_pylist()
    closed = {row["customer_id"] for row in rows if row["valid_to"] is not None}
    current = {row["customer_id"] for row in rows if row["valid_to"] is None}
    assert {row["valid_to"] for row in rows} == {None, days[1].day}, "as-of dates, no clock"
    assert closed & current, "who moved has two versions"
    assert closed - current, "whose records became another's is closed"
    assert [row["region"] for row in rows if row["valid_from"] == days[1].day].count("moved") >= 2


def test_components_are_those_of_another_implementation(days: list[Day]) -> None:
    for day in days:
        edges = day.spark["identity.int_identity_edges"].select(["left_age_key", "right_age_key"])
        graph: nx.Graph[str] = nx.Graph(zip(*(column.to_pylist() for column in edges), strict=True))
        expected = {node: min(part) for part in nx.connected_components(graph) for node in part}
        rows = day.spark["identity.int_components"].to_pylist()
        assert len(rows) == len(expected) > 100
        assert {row["node"]: row["component"] for row in rows} == expected


def test_a_conflict_and_a_merge_are_told_on_the_second_day(days: list[Day]) -> None:
    """They go through the rounds that cut weak edges, and through the memory of the first day."""
    second = days[1].spark
    assert second["identity.int_split_clusters"].num_rows >= 3
    cut = second["identity.int_cut_edges"].select(["left_record_key", "right_record_key"])
    assert len({tuple(edge.values()) for edge in cut.to_pylist()}) == 1, "one pair, by every rule"
    reasons = second["customer.identity_review_queue"].column("review_reason").to_pylist()
    assert reasons.count("two_identity_numbers") == 1
    kinds = second["customer.fct_identity_changes"].column("change_kind").to_pylist()
    assert kinds.count("merge") >= 2
    assert second["customer.customer_redirects"].num_rows == kinds.count("merge")
    assert set(second["customer.fct_identity_changes"].column("changed_on").to_pylist()) == {
        days[1].day
    }


def test_a_broken_macro_turns_parity_red(days: list[Day], spark: Spark, tmp_path: Path) -> None:
    """One model of the project, with its macros, of which one is spelled wrong for Spark; in a
    schema of its own."""
    project = tmp_path / "dbt_project"
    others = shutil.ignore_patterns("seeds", "snapshots", "tests", "models")
    shutil.copytree(PROJECT, project, ignore=others)
    (project / "models" / "core").mkdir(parents=True)
    shutil.copy(PROJECT / "models" / "core" / "dim_dates.sql", project / "models" / "core")
    for file, right, wrong in (
        (
            "macros/dialect.sql",
            "((dayofweek(cast({{ day }} as date)) + 5) % 7 + 1)",
            "dayofweek({{ day }})",
        ),
        ("dbt_project.yml", "+schema: core", "+schema: broken"),
    ):
        text = (project / file).read_text(encoding="utf-8")
        assert right in text
        (project / file).write_text(text.replace(right, wrong), encoding="utf-8")
    spark.dbt(project, "run", "--select", "dim_dates")

    sound = days[0].duck["core.dim_dates"]
    found = compare("core.dim_dates", sound, spark.table("broken.dim_dates"), ["date_day"])

    assert found is not None
    assert found.rows == 2 * sound.num_rows, "every day of the week is another"
    assert len(found.examples) == 3
    assert "core.dim_dates" in str(found)
    assert f"{sound.num_rows} row(s) on duckdb only" in str(found)
    assert "in iso_weekday; for example\n    date_day=2010-01-01" in str(found)


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ("select 1 as k, 'a' as v union all select 2, null", None),
        ("select cast(1 as bigint) as k, 'a' as v union all select 2, null", None),
        ("select 1 as k, 'a' as v", "1 row(s) on duckdb only, 0 on spark only, of 2"),
        ("select 1 as k, 'a' as v union all select 2, ''", "in v; for example\n    k=2"),
        (
            "select 1 as k, 'a' as v union all select 2, null union all select 2, null",
            "0 row(s) on duckdb only, 1 on spark only",
        ),
        ("select 1 as k, 1 as v", "types differ: v is string on duckdb, int32 on spark"),
        ("select 1 as k, 'a' as w", "columns differ: v, w"),
        ("select 1.0 as k, 'a' as v", "types differ: k is int32 on duckdb, decimal"),
    ],
)
def test_planted_difference_is_told(theirs: str, said: str | None) -> None:
    ours = "select 1 as k, 'a' as v union all select 2, null"
    found = compare(
        "t", duckdb.sql(ours).to_arrow_table(), duckdb.sql(theirs).to_arrow_table(), ["k"]
    )
    if said is None:
        assert found is None
    else:
        assert said in str(found)
