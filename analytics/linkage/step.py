"""The linkage between two layers of dbt: only pairs with something new in them are scored.

In: source records, exact edges, and what this step itself left last time. Out: edges, explanations,
a fingerprint per entity, figures of the run. Touches a database in memory.

An entity whose fingerprint is as it was scores as it did, so a pair of two such entities is kept
from last time; every other pair is scored. Both together are what a run from nothing gives.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
from splink import DuckDBAPI

from analytics.linkage import database as databases
from analytics.linkage import model as models
from analytics.linkage import scoring
from analytics.linkage.entities import fingerprints, population, prepare
from analytics.linkage.model import PARTY_KINDS, Model

log = logging.getLogger(__name__)

_PAIR: dict[str, pa.DataType] = {"left_record_key": pa.string(), "right_record_key": pa.string()}
EDGES = pa.schema(
    {
        **_PAIR,
        "match_probability": pa.float64(),
        "match_weight": pa.float64(),
        "model_version": pa.string(),
    }
)
EXPLANATIONS = pa.schema(
    {**_PAIR, "comparison": pa.string(), "level": pa.string(), "weight": pa.float64()}
)
FINGERPRINTS = pa.schema(
    [pa.field("record_key", pa.string()), pa.field("fingerprint", pa.string())]
)
_RUN: dict[str, pa.DataType] = {
    "model_version": pa.string(),
    "model_digest": pa.string(),
    "seed": pa.int64(),
    "party_kind": pa.string(),
    "population": pa.int64(),
    "entities": pa.int64(),
    "fresh_entities": pa.int64(),
    "pairs_compared": pa.int64(),
    "edges": pa.int64(),
    "keep_from": pa.float64(),
}
RUNS = pa.schema(_RUN)
_ENDS = "left_record_key, right_record_key"


def step(
    as_of_dates: Sequence[date],
    records: pa.Table,
    exact_edges: pa.Table,
    previous_edges: pa.Table,
    previous_explanations: pa.Table,
    previous_records: pa.Table,
    previous_runs: pa.Table,
    model: Model | None = None,
) -> Mapping[str, pa.Table]:
    """linkage_edges, linkage_explanations, linkage_records and linkage_runs."""
    model = model or models.read()
    with databases.opened() as database:
        connection: Any = database.duckdb_con
        prepare(connection, records, exact_edges, model)
        fingerprints(connection)
        entities, populations = _sizes(connection)
        known = _same_weights(previous_runs, model, populations)
        connection.register("previous_edges", previous_edges)
        connection.register("previous_explanations", previous_explanations)
        connection.register("previous_records", previous_records)
        fresh = _mark_fresh(connection, known)
        compared = scoring.make_pairs(connection, fresh_only=known)
        connection.register("scores", scoring.score(database, model))
        _keep(connection, model)
        explanations = _explanations(database, model)
        made = {
            "linkage_edges": _sorted(connection, "kept_edges", _ENDS, EDGES),
            "linkage_explanations": explanations,
            "linkage_records": _sorted(
                connection,
                "(select entity_key as record_key, fingerprint from fingerprints)",
                "record_key",
                FINGERPRINTS,
            ),
        }
        made["linkage_runs"] = _runs(connection, model, entities, populations, fresh)
    log.info("linkage: %d pairs compared, %d kept", compared, made["linkage_edges"].num_rows)
    return made


def _sizes(connection: Any) -> tuple[dict[str, int], dict[str, int]]:
    """Entities and, as weights see it, the population of each kind of party."""
    rows = connection.execute("select party_kind, count(*) from entities group by 1").fetchall()
    entities = {kind: dict(rows).get(kind, 0) for kind in PARTY_KINDS}
    return entities, {kind: int(population(count)) for kind, count in entities.items()}


def _same_weights(previous: pa.Table, model: Model, populations: Mapping[str, int]) -> bool:
    """Whether the last run weighed evidence as this one does."""
    rows = {row["party_kind"]: row for row in previous.to_pylist()}
    return all(
        kind in rows
        and rows[kind]["model_digest"] == model.digest
        and rows[kind]["population"] == populations[kind]
        for kind in PARTY_KINDS
    )


def _mark_fresh(connection: Any, known: bool) -> dict[str, int]:
    """Make `fresh` (unique_id): entities that were not there as they are; count them."""
    connection.execute(
        f"""
        create or replace temp table fresh as
        select unique_id from fingerprints
        left join previous_records
            on fingerprints.entity_key = previous_records.record_key
            and fingerprints.fingerprint = previous_records.fingerprint
        where previous_records.record_key is null or {not known}
        """
    )
    rows = connection.execute(
        "select party_kind, count(*) from fresh inner join entities using (unique_id) group by 1"
    ).fetchall()
    return {kind: dict(rows).get(kind, 0) for kind in PARTY_KINDS}


def _keep(connection: Any, model: Model) -> None:
    """Make `kept_edges`: new scores, and the old ones between entities that are as they were."""
    connection.execute(
        f"""
        create or replace temp table unchanged as
        select entity_key from fingerprints anti join fresh using (unique_id);
        create or replace temp table kept_edges as
        select
            ones.entity_key as left_record_key,
            others.entity_key as right_record_key,
            scores.match_probability,
            scores.match_weight,
            '{model.version}' as model_version
        from scores
        inner join fingerprints as ones on scores.left_id = ones.unique_id
        inner join fingerprints as others on scores.right_id = others.unique_id
        union all by name
        select previous_edges.* from previous_edges
        semi join unchanged on previous_edges.left_record_key = unchanged.entity_key
        semi join unchanged as others on previous_edges.right_record_key = others.entity_key
        """
    )


def _explanations(database: DuckDBAPI, model: Model) -> pa.Table:
    connection: Any = database.duckdb_con
    selects = [
        """
        select previous_explanations.* from previous_explanations
        semi join unchanged on previous_explanations.left_record_key = unchanged.entity_key
        semi join unchanged as others
            on previous_explanations.right_record_key = others.entity_key
        """
    ]
    for kind in PARTY_KINDS:
        connection.execute(
            f"create or replace temp table scored_{kind} as select scores.left_id, scores.right_id"
            " from scores inner join entities on scores.left_id = entities.unique_id"
            f" where entities.party_kind = '{kind}'"
        )
        connection.register(
            f"explained_{kind}", scoring.explained(database, model, kind, f"scored_{kind}")
        )
        selects.append(
            f"""
            select
                ones.entity_key as left_record_key,
                others.entity_key as right_record_key,
                comparison, level, weight
            from explained_{kind} as explained
            inner join fingerprints as ones on explained.left_id = ones.unique_id
            inner join fingerprints as others on explained.right_id = others.unique_id
            """
        )
    return _sorted(
        connection,
        "(" + " union all by name ".join(selects) + ")",
        f"{_ENDS}, comparison",
        EXPLANATIONS,
    )


def _runs(
    connection: Any,
    model: Model,
    entities: Mapping[str, int],
    populations: Mapping[str, int],
    fresh: Mapping[str, int],
) -> pa.Table:
    """One row per kind of party."""

    def per_kind(query: str) -> dict[str, int]:
        return dict(connection.execute(query).fetchall())

    pairs = per_kind(
        "select party_kind, count(*) from pairs inner join entities"
        " on pairs.left_id = entities.unique_id group by 1"
    )
    edges = per_kind(
        "select party_kind, count(*) from kept_edges inner join entities"
        " on kept_edges.left_record_key = entities.entity_key group by 1"
    )
    rows = [
        {
            "model_version": model.version,
            "model_digest": model.digest,
            "seed": model.trained_on["seed"],
            "party_kind": kind,
            "population": populations[kind],
            "entities": entities[kind],
            "fresh_entities": fresh[kind],
            "pairs_compared": pairs.get(kind, 0),
            "edges": edges.get(kind, 0),
            "keep_from": model.keep_from,
        }
        for kind in PARTY_KINDS
    ]
    return pa.Table.from_pylist(rows, schema=RUNS)


def _sorted(connection: Any, relation: str, order: str, schema: pa.Schema) -> pa.Table:
    columns = ", ".join(schema.names)
    rows = connection.execute(f"select {columns} from {relation} order by {order}")
    table: pa.Table = rows.to_arrow_table()
    return table.cast(schema)
