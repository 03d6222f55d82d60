"""The weights of a model, from records of which the truth is known.

In: records, exact edges and truth as Arrow, the specification. Out: a `Model`. Touches a database
in memory. Scoring needs none of this.

m: how often true pairs that exact rules leave open are in a level. u: how often other pairs are,
from a random sample; for levels too rare for the sample from all pairs that share a block key,
outside of which such a level does not occur.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from splink import DuckDBAPI

from analytics.linkage import database as databases
from analytics.linkage import scoring
from analytics.linkage.entities import prepare
from analytics.linkage.model import PARTY_KINDS, Model, comparison

SAMPLED_PAIRS = 3_000_000
FEW = 30
"""A level with fewer sampled pairs is estimated from the pairs under block keys."""
_START_M = _UNSEEN = 0.5


def train(
    records: pa.Table,
    edges: pa.Table,
    truth: pa.Table,
    specification: Mapping[str, Any],
    seed: int,
) -> Model:
    """A model from `truth` (record_key, party_id); the same seed gives the same model."""
    comparisons = {
        kind: [comparison(each) for each in specification["comparisons"][kind]]
        for kind in PARTY_KINDS
    }
    model = Model(
        version=specification["version"],
        keep_from=specification["keep_from"],
        block_limit=specification["block_limit"],
        namesakes=specification["namesakes"],
        blocks=specification["blocks"],
        matches_per_entity=dict.fromkeys(PARTY_KINDS, 0.1),
        comparisons=comparisons,
        trained_on={"records": records.num_rows, "seed": seed},
    )
    with databases.opened() as database:
        connection: Any = database.duckdb_con
        connection.execute("set threads = 1")  # a sample is drawn in the order of the rows
        prepare(connection, records, edges, model)
        connection.register("truth_given", truth)
        connection.execute(
            """
            create temp table labels as
            select entities.unique_id, entities.party_kind, min(truth_given.party_id) as party_id
            from entities
            inner join entity_records using (entity_key)
            inner join truth_given using (record_key)
            group by entities.unique_id, entities.party_kind
            """
        )
        scoring.make_pairs(connection)
        matches = {
            kind: _estimate(database, model, kind, specification, seed) for kind in PARTY_KINDS
        }
    return Model(**{**vars(model), "matches_per_entity": matches})


def _estimate(
    database: DuckDBAPI, model: Model, kind: str, specification: Mapping[str, Any], seed: int
) -> float:
    """Write m and u into the model's comparisons; gives true pairs per entity."""
    connection: Any = database.duckdb_con
    connection.execute(
        f"""
        create or replace temp table true_pairs as
        select ones.unique_id as left_id, others.unique_id as right_id
        from labels as ones
        inner join labels as others
            on ones.party_id = others.party_id and ones.unique_id < others.unique_id
        where ones.party_kind = '{kind}' and others.party_kind = '{kind}';
        create or replace temp table other_pairs as
        select pairs.* from pairs
        inner join labels as ones on pairs.left_id = ones.unique_id
        inner join labels as others on pairs.right_id = others.unique_id
        where ones.party_kind = '{kind}' and ones.party_id <> others.party_id
        """
    )
    (entities,) = connection.execute(
        f"select count(*) from labels where party_kind = '{kind}'"
    ).fetchone()
    (matches,) = connection.execute("select count(*) from true_pairs").fetchone()
    linker = scoring.linker_for(database, model, kind, "true_pairs")
    linker.training.estimate_u_using_random_sampling(
        max_pairs=SAMPLED_PAIRS, seed=seed, min_count_per_level=None, num_chunks=1
    )
    sampled = {
        each["output_column_name"]: each["comparison_levels"]
        for each in linker.misc.save_model_to_json()["comparisons"]
    }
    started = _with_start_values(model, kind)
    true_counts = _counts(database, started, kind, "true_pairs")
    other_counts = _counts(database, started, kind, "other_pairs")
    all_pairs = entities * (entities - 1) / 2
    for each in model.comparisons[kind]:
        name = each["output_column_name"]
        levels = [x for x in each["comparison_levels"] if not x.get("is_null_level")]
        drawn = [x for x in sampled[name] if not x.get("is_null_level")]
        told = sum(true_counts[name].values())
        for at, (level, sample) in enumerate(zip(levels, drawn, strict=True)):
            gamma = len(levels) - 1 - at
            # half a pair in every level: what was never seen may be
            share = (true_counts[name].get(gamma, 0) + _UNSEEN) / (told + _UNSEEN * len(levels))
            if told < FEW and level["label_for_charts"] in specification["expected_m"]:
                share = specification["expected_m"][level["label_for_charts"]]
            u = sample.get("u_probability") or 0.0
            if u * SAMPLED_PAIRS < FEW:
                u = other_counts[name].get(gamma, 0) / all_pairs
            level["m_probability"] = max(share, specification["least_m"])
            level["u_probability"] = max(u, specification["least_u"])
        for probability in ("m_probability", "u_probability"):
            total = sum(level[probability] for level in levels)
            for level in levels:
                level[probability] = round(level[probability] / total, 10)
    return round(float(matches) / float(entities), 6)


def _with_start_values(model: Model, kind: str) -> Model:
    """The model with some weight in every level: its levels are asked for, not its scores."""
    comparisons = [
        {
            **each,
            "comparison_levels": [
                level
                if level.get("is_null_level")
                else {**level, "m_probability": _START_M, "u_probability": _START_M}
                for level in each["comparison_levels"]
            ],
        }
        for each in model.comparisons[kind]
    ]
    return Model(**{**vars(model), "comparisons": {kind: comparisons}})


def _counts(database: DuckDBAPI, model: Model, kind: str, pairs: str) -> dict[str, dict[int, int]]:
    """Per comparison how many of the pairs are in each level that says something."""
    rows = scoring.scored(database, model, kind, 0.0, pairs, explain=True)
    counts: dict[str, dict[int, int]] = {}
    for each in model.comparisons[kind]:
        name = each["output_column_name"]
        found: Any = rows[f"gamma_{name}"].value_counts()
        counts[name] = {
            row["values"]: row["counts"] for row in found.to_pylist() if row["values"] >= 0
        }
    return counts
