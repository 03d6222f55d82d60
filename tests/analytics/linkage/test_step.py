"""The step between dbt's layers: what it finds, that increments end where one run ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from analytics.linkage import model, step
from analytics.linkage.measures import components, of_groups
from bench.people import People, exact_edges, make

LINK_FROM = 0.95
State = Mapping[str, pa.Table]
NOTHING: State = {
    "linkage_edges": step.EDGES.empty_table(),
    "linkage_explanations": step.EXPLANATIONS.empty_table(),
    "linkage_records": step.FINGERPRINTS.empty_table(),
    "linkage_runs": step.RUNS.empty_table(),
}


def link(records: pa.Table, state: State = NOTHING, chosen: model.Model | None = None) -> State:
    return step.step(
        [],
        records,
        exact_edges(records),
        state["linkage_edges"],
        state["linkage_explanations"],
        state["linkage_records"],
        state["linkage_runs"],
        chosen,
    )


def fresh(state: State) -> int:
    return sum(state["linkage_runs"]["fresh_entities"].to_pylist())


@pytest.fixture(scope="module")
def people() -> People:
    return make(2000, seed=3)


@pytest.fixture(scope="module")
def linked(people: People) -> State:
    return link(people.records)


def test_what_exact_rules_leave_open_is_found(people: People, linked: State) -> None:
    keys = people.records["record_key"].to_pylist()
    party = dict(
        zip(
            people.truth["record_key"].to_pylist(),
            people.truth["party_id"].to_pylist(),
            strict=True,
        )
    )
    truth = [party[key] for key in keys]
    ends = ("left_record_key", "right_record_key")
    exact = [people.edges[end].to_pylist() for end in ends]
    sure = linked["linkage_edges"].filter(
        pc.greater_equal(linked["linkage_edges"]["match_probability"], LINK_FROM)
    )
    before, _ = of_groups(components(keys, *exact), truth)
    both = [have + sure[end].to_pylist() for have, end in zip(exact, ends, strict=True)]
    after, b_cubed = of_groups(components(keys, *both), truth)
    assert after.precision >= 0.995
    assert after.recall > before.recall + 0.07
    assert b_cubed.f1 > 0.97


def test_persons_and_organisations_are_never_one(people: People, linked: State) -> None:
    kind = dict(
        zip(
            people.records["record_key"].to_pylist(),
            people.records["party_kind"].to_pylist(),
            strict=True,
        )
    )
    edges = linked["linkage_edges"].to_pylist()
    assert edges
    assert all(kind[e["left_record_key"]] == kind[e["right_record_key"]] for e in edges)
    assert all(e["left_record_key"] < e["right_record_key"] for e in edges)


def test_weights_of_a_pair_add_up_to_its_weight(linked: State) -> None:
    """A pair's weight is that of a random pair and the evidence: nothing is left unexplained."""
    told = (
        linked["linkage_explanations"]
        .group_by(list(step.EDGES.names[:2]))
        .aggregate([("weight", "sum")])
    )
    rows = linked["linkage_edges"].join(told, list(step.EDGES.names[:2])).to_pylist()
    priors = {round(row["match_weight"] - row["weight_sum"], 6) for row in rows}
    assert len(rows) == linked["linkage_edges"].num_rows
    assert len(priors) == 2  # of persons and of organisations
    assert all(prior < -5 for prior in priors)


def test_explanations_hold_words_of_the_model_only(linked: State) -> None:
    levels = {
        level["label_for_charts"]
        for comparisons in model.read().comparisons.values()
        for comparison in comparisons
        for level in comparison["comparison_levels"]
    }
    assert set(linked["linkage_explanations"]["level"].to_pylist()) <= levels


def test_increments_end_where_one_run_ends(people: People, linked: State) -> None:
    """Records that come, change and go; each run scores only what is new."""
    records = people.records
    size = records.num_rows
    phones = records["phone_norm"].to_pylist()
    phones[0], phones[5] = phones[7], None
    changed = records.set_column(
        records.schema.get_field_index("phone_norm"), "phone_norm", pa.array(phones)
    )
    days = [changed.slice(0, size - 120), changed.slice(0, size - 40), records.slice(60), records]
    state = NOTHING
    for day in days:
        state = link(day, state)
    assert fresh(state) < 400 < fresh(linked)
    for table in ("linkage_edges", "linkage_explanations", "linkage_records"):
        assert state[table].equals(linked[table]), table


def test_nothing_new_is_nothing_scored(people: People, linked: State) -> None:
    again = link(people.records, linked)
    assert fresh(again) == 0
    assert again["linkage_edges"].equals(linked["linkage_edges"])


def test_another_model_scores_everything_again(people: People, linked: State) -> None:
    other = replace(model.read(), namesakes=0.5)
    again = link(people.records, linked, other)
    assert fresh(again) == fresh(linked)
    assert not again["linkage_edges"].equals(linked["linkage_edges"])


def test_an_empty_warehouse_has_no_pairs(people: People) -> None:
    made = link(people.records.slice(0, 0))
    assert made["linkage_edges"].schema == step.EDGES
    assert all(made[table].num_rows == 0 for table in ("linkage_edges", "linkage_records"))
