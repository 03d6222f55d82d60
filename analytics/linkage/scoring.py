"""Pairs of entities and how probably each is one customer.

In: the tables `entities` and `block_keys`. Out: edges and explanations as Arrow. Touches the
database only. Splink compares and weighs; which pairs it compares is told to it.
"""

from __future__ import annotations

import logging
from typing import Any

import pyarrow as pa
from splink import DuckDBAPI, Linker

from analytics.linkage.entities import population
from analytics.linkage.model import PARTY_KINDS, Model

logging.getLogger("splink").setLevel(logging.ERROR)


def make_pairs(connection: Any, *, fresh_only: bool = False) -> int:
    """Make `pairs` (left_id, right_id): entities that share a key; gives how many.

    With `fresh_only`, pairs in which at least one entity is named by the table `fresh`.
    """
    ends = "ones.unique_id, others.unique_id"
    if fresh_only:
        ones = "(select unique_id, key from block_keys semi join fresh using (unique_id))"
        condition = "ones.unique_id <> others.unique_id"
    else:
        ones, condition = "block_keys", "ones.unique_id < others.unique_id"
    connection.execute(
        f"""
        create or replace temp table pairs as
        select distinct least({ends}) as left_id, greatest({ends}) as right_id
        from {ones} as ones
        inner join block_keys as others on ones.key = others.key and {condition}
        """
    )
    (count,) = connection.execute("select count(*) from pairs").fetchone()
    return int(count)


def score(database: DuckDBAPI, model: Model) -> pa.Table:
    """left_id, right_id, match_probability, match_weight of the pairs worth keeping."""
    found = [
        scored(database, model, kind, model.keep_from, _pairs_of(database, kind))
        for kind in PARTY_KINDS
    ]
    return pa.concat_tables(found)


def scored(
    database: DuckDBAPI,
    model: Model,
    party_kind: str,
    keep_from: float,
    pairs: str,
    *,
    explain: bool = False,
) -> pa.Table:
    """The pairs of the table `pairs` that reach `keep_from`; `explain` adds Splink's columns."""
    connection: Any = database.duckdb_con
    linker = linker_for(database, model, party_kind, pairs, explain=explain)
    result = linker.inference.predict(
        threshold_match_probability=keep_from or None, warning_mode="never"
    )
    extra = ", columns('^(gamma|mw)_')" if explain else ""
    rows: pa.Table = connection.execute(
        f"select unique_id_l as left_id, unique_id_r as right_id, match_probability, match_weight"
        f"{extra} from {result.physical_name}"
    ).to_arrow_table()
    result.drop_table_from_database_and_remove_from_cache()
    return rows


def linker_for(
    database: DuckDBAPI, model: Model, party_kind: str, pairs: str, *, explain: bool = False
) -> Linker:
    """Splink with the model's weights, told to compare what the table `pairs` names."""
    connection: Any = database.duckdb_con
    table = f"entities_{party_kind}"
    connection.execute(
        f"create or replace temp view {table} as"
        f" select * from entities where party_kind = '{party_kind}'"
    )
    (entities,) = connection.execute(f"select count(*) from {table}").fetchone()
    prior = min(0.5, 2 * model.matches_per_entity[party_kind] / population(entities))
    linker = Linker(
        database.register(table),
        model.settings(party_kind, prior, explain=explain),
        log_level=None,
        validate_settings=False,
    )
    blocked = f"blocked_{party_kind}"
    connection.execute(
        f"create or replace temp table {blocked} as select '0' as match_key,"
        f" left_id as join_key_l, right_id as join_key_r from {pairs}"
    )
    linker.table_management.register_blocked_pairs_for_predict(database.register(blocked))
    return linker


def explained(database: DuckDBAPI, model: Model, party_kind: str, pairs: str) -> pa.Table:
    """left_id, right_id, comparison, level, weight (bits) of every comparison that says something.

    One row per pair and comparison, no value of a record.
    """
    connection: Any = database.duckdb_con
    rows = scored(database, model, party_kind, 0.0, pairs, explain=True)
    connection.register("explained_rows", rows)
    selects = []
    for comparison in model.comparisons[party_kind]:
        name = comparison["output_column_name"]
        levels = [x for x in comparison["comparison_levels"] if not x.get("is_null_level")]
        labels = " ".join(
            f"when {len(levels) - 1 - at} then '{level['label_for_charts']}'"
            for at, level in enumerate(levels)
        )
        rarity = f" + mw_tf_adj_{name}" if f"mw_tf_adj_{name}" in rows.column_names else ""
        selects.append(
            f"select left_id, right_id, '{name.replace('_', ' ')}' as comparison,"
            f" case gamma_{name} {labels} end as level, mw_{name}{rarity} as weight"
            f" from explained_rows where gamma_{name} >= 0"
        )
    told: pa.Table = connection.execute(" union all ".join(selects)).to_arrow_table()
    return told


def _pairs_of(database: DuckDBAPI, party_kind: str) -> str:
    table = f"pairs_{party_kind}"
    database.duckdb_con.execute(
        f"create or replace temp view {table} as select pairs.* from pairs inner join entities"
        f" on pairs.left_id = entities.unique_id where entities.party_kind = '{party_kind}'"
    )
    return table
