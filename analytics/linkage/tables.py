"""Linkage of any table of people, without a model and without truth.

In: records (`read_records`) and a mapping of their columns to kinds (`kinds.yaml`). Out: scored
pairs and the threshold to link from. Touches a database in memory.

Weights come from the table itself: u from random pairs, m by expectation maximisation, once under
each key that holds enough pairs (Splink's training). The threshold is the one at which the model
itself expects the greatest F1.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import yaml
from splink import Linker

from analytics.linkage import database as databases
from kehu.errors import AnalysisError

KINDS = Path(__file__).parent / "kinds.yaml"
FILE = "__file"
"""Column that says which of the files a record is from."""
_PRIOR = "probability_two_random_records_match"
SMALLEST_TRAINING = 20
"""A key with fewer pairs of records teaches nothing."""

logging.getLogger("splink").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Mapped:
    """What the columns of a table are."""

    record_id: str
    columns: Mapping[str, str]
    """Column to kind."""
    between_files: bool = False
    """Whether only records of two files can be one person."""
    one_to_one: bool = False
    """Whether a record has at most one partner."""
    truth: Mapping[str, str] = field(default_factory=dict)
    """How the truth is told: `record` and `group`; or `left`, `right` and perhaps `score` (pairs
    from 0.5 on are true); or `pattern`, whose first group in the record's id names the person."""


def read_mapping(path: Path) -> Mapped:
    """The mapping of a YAML file; raises `AnalysisError` that names what does not fit."""
    try:
        return mapping(yaml.safe_load(path.read_text(encoding="utf-8")), str(path))
    except (OSError, yaml.YAMLError) as error:
        raise AnalysisError(
            f"The mapping cannot be read: {type(error).__name__}.",
            where=str(path),
            do="write it as docs/identity_quality.md shows",
        ) from None


def mapping(given: Any, where: str) -> Mapped:
    """The mapping that the YAML says."""
    try:
        mapped = Mapped(**given)
        used = set(mapped.columns.values())
    except (TypeError, AttributeError):
        raise AnalysisError(
            "The mapping has not the form of one.",
            where=where,
            do="give record_id, columns (column: kind) and, if need be, between_files,"
            " one_to_one, truth: see docs/identity_quality.md",
        ) from None
    known = kinds()["kinds"]
    if unknown := sorted(map(str, used - set(known))):
        raise AnalysisError(
            f"The mapping names kinds that do not exist: {', '.join(unknown)}.",
            where=where,
            do=f"use {', '.join(known)}",
        )
    return mapped


def read_table(path: Path) -> pa.Table:
    """A Parquet file, or a CSV file (also .gz) with a header, as text; names without blanks."""
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        with pyarrow.csv.open_csv(path) as first:
            names = first.schema.names
        as_text = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True
        )
        table = pyarrow.csv.read_csv(path, convert_options=as_text)
        return table.rename_columns([name.strip() for name in table.column_names])
    except (OSError, pa.ArrowException) as error:
        raise AnalysisError(
            f"The table cannot be read: {type(error).__name__}.",
            where=str(path),
            do="give Parquet, or CSV with a header",
        ) from None


def read_records(paths: Sequence[Path]) -> pa.Table:
    """All files below each other, with a column `file` that says which."""
    tables = [read_table(path) for path in paths]
    marked = [
        table.append_column(FILE, pa.array([str(at)] * table.num_rows))
        for at, table in enumerate(tables)
    ]
    return pa.concat_tables(marked, promote_options="permissive").combine_chunks()


def kinds() -> dict[str, Any]:
    return dict(yaml.safe_load(KINDS.read_text(encoding="utf-8")))


def link(records: pa.Table, mapped: Mapped) -> pa.Table:
    """left_id, right_id, match_probability of the pairs that were compared."""
    rules = kinds()
    with databases.opened() as database:
        connection: Any = database.duckdb_con
        connection.execute("set threads = 1")  # sampling follows the order of the rows
        connection.register("given", records)
        _prepare(connection, records, mapped, rules)
        linker = Linker(
            database.register("people"),
            _settings(mapped, rules) | {_PRIOR: _prior(connection, mapped, rules)},
            log_level=None,
            validate_settings=False,
        )
        _train(connection, linker, mapped, rules)
        _pairs(connection, mapped, rules)
        linker.table_management.register_blocked_pairs_for_predict(database.register("blocked"))
        scored = linker.inference.predict(warning_mode="never")
        result: pa.Table = connection.execute(
            f"""
            select
                ones.record_id as left_id, others.record_id as right_id, match_probability
            from {scored.physical_name} as scored
            inner join people as ones on scored.unique_id_l = ones.unique_id
            inner join people as others on scored.unique_id_r = others.unique_id
            order by all
            """
        ).to_arrow_table()
    return _best_partners(result) if mapped.one_to_one else result


def threshold(probabilities: Any) -> float:
    """The probability from which on to link, so that the expected F1 is greatest.

    `probabilities` is an array. With p sorted from the greatest, linking the first k pairs is
    expected to be right in P = p1 + … + pk of k, out of all of sum(p): F1 = 2 P / (k + sum(p)).
    """
    ordered = np.sort(np.asarray(probabilities, dtype=float))[::-1]
    if not len(ordered):
        return 1.0
    expected = 2 * np.cumsum(ordered) / (np.arange(1, len(ordered) + 1) + ordered.sum())
    return float(ordered[int(np.argmax(expected))])


def _prepare(connection: Any, records: pa.Table, mapped: Mapped, rules: Mapping[str, Any]) -> None:
    if missing := sorted({mapped.record_id, *mapped.columns} - set(records.column_names)):
        raise AnalysisError(
            f"The table has no column {', '.join(missing)}.",
            where="the mapping",
            do=f"name columns of the table: {', '.join(records.column_names)}",
        )
    selects = []
    for at, (column, kind) in enumerate(mapped.columns.items()):
        text = f'lower(strip_accents(trim("{column}"::varchar)))'
        if rules["kinds"][kind].get("compact"):
            text = f"regexp_replace({text}, '[^[:alnum:]]', '', 'g')"
        selects.append(f"nullif({text}, '') as c{at}")
    connection.execute(
        f"""
        create or replace temp table people as
        select
            (row_number() over ())::integer as unique_id,
            trim("{mapped.record_id}"::varchar) as record_id,
            "{FILE}" as source,
            {", ".join(selects)}
        from given
        """
    )


def _settings(mapped: Mapped, rules: Mapping[str, Any]) -> dict[str, Any]:
    names = {kind: f"c{at}" for at, kind in enumerate(mapped.columns.values())}
    given, family = names.get("given_name"), names.get("family_name")
    swap = (
        f"{given}_l = {family}_r and {family}_l = {given}_r and {given}_l <> {family}_l"
        if given and family
        else None
    )
    comparisons = []
    for at, (column, kind) in enumerate(mapped.columns.items()):
        name = f"c{at}"
        levels: list[dict[str, Any]] = [
            {
                "sql_condition": f"{name}_l is null or {name}_r is null",
                "label_for_charts": "unknown",
                "is_null_level": True,
            }
        ]
        for level in rules["kinds"][kind]["levels"]:
            condition = level.get("when", "ELSE")
            if condition == "{swap}" and swap is None:
                continue
            made = {
                "sql_condition": condition.replace("{swap}", swap or "").replace("{c}", name),
                "label_for_charts": f"{column}: {level['label']}",
            }
            if level.get("frequency"):
                made |= {"tf_adjustment_column": name, "tf_minimum_u_value": 0.0001}
            if level.get("frequency") and condition != "{c}_l = {c}_r":
                made["tf_adjustment_weight"] = 0.5
            levels.append(made)
        comparisons.append({"output_column_name": name, "comparison_levels": levels})
    return {
        "link_type": "dedupe_only",
        "sql_dialect": "duckdb",
        "unique_id_column_name": "unique_id",
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "em_convergence": 0.0001,
    }


def _columns(mapped: Mapped, wanted: Collection[str]) -> list[str]:
    """Our names of the columns of some kinds."""
    return [f"c{at}" for at, kind in enumerate(mapped.columns.values()) if kind in wanted]


def _keys(mapped: Mapped, rules: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The columns of each key: each that tells people apart, and each two of the weak ones."""
    weak = _columns(mapped, rules["weak"])
    single = [(column,) for column in (*_columns(mapped, rules["strong"]), *weak)]
    return [*single, *combinations(weak, 2)]


def _prior(connection: Any, mapped: Mapped, rules: Mapping[str, Any]) -> float:
    """Probability that two records picked by chance are one person, from pairs that surely are."""
    names = ("given_name", "family_name", "full_name")
    strong = _columns(mapped, rules["strong"])
    sure: list[tuple[str, ...]] = [
        *combinations(strong, 2),
        *product(strong, _columns(mapped, names)),
    ]
    if not sure:
        sure = [tuple(f"c{at}" for at in range(len(mapped.columns)))]
    pairs = " union ".join(
        "select ones.unique_id, others.unique_id from people as ones inner join people as others"
        f" using ({', '.join(key)}) where ones.unique_id < others.unique_id"
        + (" and ones.source <> others.source" if mapped.between_files else "")
        for key in sure
    )
    (found,) = connection.execute(f"select count(*) from ({pairs})").fetchone()
    (records,) = connection.execute("select count(*) from people").fetchone()
    expected = max(found, 1) / rules["deterministic_recall"]
    return float(min(0.5, expected / max(1, records * (records - 1) / 2)))


def _train(connection: Any, linker: Linker, mapped: Mapped, rules: Mapping[str, Any]) -> None:
    linker.training.estimate_u_using_random_sampling(
        max_pairs=rules["sampled_pairs"],
        seed=rules["seed"],
        min_count_per_level=None,
        num_chunks=1,
    )
    for key in _keys(mapped, rules):
        (pairs,) = connection.execute(
            "select coalesce(sum(n * (n - 1) / 2), 0) from (select count(*) as n from people where "
            + " and ".join(f"{column} is not null" for column in key)
            + f" group by {', '.join(key)})"
        ).fetchone()
        if SMALLEST_TRAINING <= pairs <= rules["sampled_pairs"]:
            linker.training.estimate_parameters_using_expectation_maximisation(
                " and ".join(f"l.{column} = r.{column}" for column in key),
                estimate_without_term_frequencies=True,
            )


def _pairs(connection: Any, mapped: Mapped, rules: Mapping[str, Any]) -> None:
    selects = [
        f"select unique_id, source, hash('{' '.join(key)}', {', '.join(key)}) as key from people"
        f" where {' and '.join(f'{column} is not null' for column in key)}"
        for key in _keys(mapped, rules)
    ]
    between = "and ones.source <> others.source" if mapped.between_files else ""
    connection.execute(
        f"""
        create or replace temp table keys as {" union all ".join(selects)};
        create or replace temp table blocked as
        select distinct
            '0' as match_key, ones.unique_id as join_key_l, others.unique_id as join_key_r
        from (
            select * from keys
            where key in (
                select key from keys group by key
                having count(*) between 2 and {rules["block_limit"]}
            )
        ) as ones
        inner join keys as others
            on ones.key = others.key and ones.unique_id < others.unique_id {between}
        """
    )


def _best_partners(pairs: pa.Table) -> pa.Table:
    """The surest pairs of which no two share a record."""
    order = np.argsort(-pairs["match_probability"].to_numpy(), kind="stable")
    left, right = pairs["left_id"].to_pylist(), pairs["right_id"].to_pylist()
    taken: set[str] = set()
    kept = []
    for at in order:
        if left[at] not in taken and right[at] not in taken:
            taken |= {left[at], right[at]}
            kept.append(int(at))
    return pairs.take(kept)
