"""Splink with the settings of its own tutorial, on fake_1000: what ours has to beat.

In: the table. Out: scored pairs. Touches a database in memory. Settings: "Deduplicate 50k … with
DuckDB", tutorials 03 to 05 of Splink's documentation.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import splink.comparison_library as cl
from splink import Linker, SettingsCreator, block_on

from analytics.linkage import database as databases


def link(records: pa.Table) -> pa.Table:
    """left_id, right_id, match_probability of every pair that it scores."""
    with databases.opened() as database:
        connection: Any = database.duckdb_con
        connection.register("given", records)
        connection.execute("create temp table fake_1000 as select * from given")
        linker = Linker(
            database.register("fake_1000"),
            SettingsCreator(
                link_type="dedupe_only",
                comparisons=[
                    cl.NameComparison("first_name"),
                    cl.NameComparison("surname"),
                    cl.LevenshteinAtThresholds("dob", 1),
                    cl.ExactMatch("city").configure(term_frequency_adjustments=True),
                    cl.EmailComparison("email"),
                ],
                blocking_rules_to_generate_predictions=[
                    block_on("first_name", "city"),
                    block_on("surname"),
                ],
            ),
            log_level=None,
        )
        linker.training.estimate_probability_two_random_records_match(
            [
                block_on("first_name", "dob"),
                "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2",
                block_on("email"),
            ],
            recall=0.7,
        )
        linker.training.estimate_u_using_random_sampling(max_pairs=1_000_001, seed=5)
        for rule in (block_on("first_name", "surname"), block_on("dob")):
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        scored = linker.inference.predict(threshold_match_probability=0.001)
        pairs: pa.Table = connection.execute(
            "select unique_id_l as left_id, unique_id_r as right_id, match_probability"
            f" from {scored.physical_name}"
        ).to_arrow_table()
    return pairs
