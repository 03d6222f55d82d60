"""Records that exact rules tie, as one entity each, and the keys under which entities are compared.

In: tables as the models `int_source_records` and `int_exact_edges` give them. Out: the tables
`entities` and `block_keys` of the database. Touches that database only.

What any record of an entity knows speaks for all of them; an entity under two identity numbers is
taken apart again into its records. Everything here is a function of the records alone, so that what
was scored before holds as long as a row's `fingerprint` is the same.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from analytics.linkage.model import Model

COLUMNS = (
    "record_key",
    "record_kind",
    "party_kind",
    "name_norm",
    "name_pinyin",
    "sex",
    "birth_date",
    "identity_no_norm",
    "phone_norm",
    "email_norm",
    "address",
    "region",
    "named_record_key",
)
"""What is read of a record."""

_HERE = Path(__file__).parent
_STATEMENTS = ("entities.sql", "rarity.sql", "entities_numbered.sql")


def prepare(connection: Any, records: pa.Table, edges: pa.Table, model: Model) -> None:
    """Make `entities` (one row per entity) and `block_keys` (unique_id, key)."""
    connection.register("records_given", records.select(list(COLUMNS)))
    connection.execute(
        "create or replace temp table records as select * from records_given"
        " where coalesce(name_norm, identity_no_norm, phone_norm, email_norm) is not null"
    )
    connection.register("members_given", _members(records["record_key"], edges))
    connection.execute("create or replace temp table members as select * from members_given")
    for name in _STATEMENTS[:2]:
        connection.execute((_HERE / name).read_text(encoding="utf-8"))
    (entities,) = connection.execute("select count(*) from known").fetchone()
    connection.execute(f"set variable namesakes = {model.namesakes}::double")
    connection.execute(f"set variable population = {population(entities)}::double")
    connection.execute((_HERE / _STATEMENTS[2]).read_text(encoding="utf-8"))
    connection.execute(
        "create or replace temp table all_keys as "
        + " union ".join(
            f"select unique_id, hash(party_kind, '{block['name']}', key) as key from (select"
            f" unique_id, party_kind, {block['key']} as key from entities"
            f" where {block.get('where', 'true')}) where key is not null"
            for block in model.blocks
        )
    )
    connection.execute(
        f"""
        create or replace temp table block_keys as
        select unique_id, key from all_keys
        where key in (
            select key from all_keys group by key
            having count(*) between 2 and {model.block_limit}
        )
        """
    )


def population(entities: int) -> float:
    """The number of entities as weights see it: the nearest power of two.

    With the number itself every weight would change with every new record.
    """
    return float(2 ** round(math.log2(max(entities, 1))))


def fingerprints(connection: Any) -> None:
    """Make `fingerprints` (unique_id, entity_key, fingerprint): of all that scores depend on."""
    connection.execute(
        """
        create or replace temp table fingerprints as
        with looked_under as (
            select unique_id, bit_xor(key) as keys from block_keys group by unique_id
        ),
        told as (select * exclude (unique_id, entity_key), entity_key as told_key from entities)
        select
            entities.unique_id,
            entities.entity_key,
            md5(told::varchar || coalesce(looked_under.keys, 0)) as fingerprint
        from entities
        inner join told on entities.entity_key = told.told_key
        left join looked_under using (unique_id)
        """
    )


def _members(record_keys: Any, edges: pa.Table) -> pa.Table:
    """record_key, entity_key (the least key of those that edges connect); only tied records."""
    encoded = (
        pa.chunked_array(
            [
                *record_keys.chunks,
                *_texts(edges["left_record_key"]),
                *_texts(edges["right_record_key"]),
            ]
        )
        .combine_chunks()
        .dictionary_encode()
    )
    codes = encoded.indices.to_numpy()
    size, ends = len(encoded.dictionary), codes[len(record_keys) :]
    left, right = ends[: edges.num_rows], ends[edges.num_rows :]
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    tied = np.unique(ends)
    frame = pa.table(
        {
            "record_key": encoded.dictionary.take(pa.array(tied)),
            "component": component[tied],
        }
    )
    least = frame.group_by("component").aggregate([("record_key", "min")])
    joined = frame.join(least, "component")
    return joined.select(["record_key", "record_key_min"]).rename_columns(
        ["record_key", "entity_key"]
    )


def _texts(column: Any) -> list[Any]:
    return [chunk.cast(pa.string()) for chunk in column.chunks]
