"""An incremental model on both engines: two runs, of which the second replaces and adds rows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.parity.comparing import compare
from tests.parity.engines import PROJECT, Duck, Spark

pytestmark = pytest.mark.parity

MODEL = """\
{{ config(
    materialized='incremental',
    incremental_strategy=upsert_strategy(),
    unique_key=['day', 'customer'],
    partition_by=['day'],
) }}
select customer, amount, cast(day as date) as day
from {{ ref('facts') }}
{% if is_incremental() %}
where cast(day as date) > cast('2026-01-30' as date)
{% endif %}
"""
FIRST = "day,customer,amount\n2026-01-30,a,1.10\n2026-01-31,a,2.20\n2026-01-31,b,3.30\n"
SECOND = (
    "day,customer,amount\n2026-01-30,a,99\n2026-01-31,a,2.25\n2026-01-31,b,3.30\n2026-02-01,c,4\n"
)


def upserts(spark: Spark, folder: Path) -> None:
    """Two runs of the model on DuckDB and on Spark; fails when they differ, or are wrong."""
    shutil.copytree(PROJECT / "macros", folder / "macros")
    shutil.copy(PROJECT / "profiles.yml", folder)
    (folder / "dbt_project.yml").write_text(
        "name: upserts\nprofile: kehu\n"
        f"models: {{upserts: {{+schema: upserts, +file_format: {spark.table_format}}}}}\n"
        f"seeds: {{upserts: {{+schema: upserts, +file_format: {spark.table_format}, "
        "+column_types: {day: string, customer: string, amount: 'decimal(18, 2)'}}}\n"
    )
    for name in ("models", "seeds", "duck"):
        (folder / name).mkdir()
    (folder / "models" / "kept.sql").write_text(MODEL)
    duck = Duck(folder / "duck" / "work.duckdb")
    for rows in (FIRST, SECOND):
        (folder / "seeds" / "facts.csv").write_text(rows)
        for engine in (duck, spark):
            engine.dbt(folder, "build")
        ours, theirs = duck.table("upserts.kept"), spark.table("upserts.kept")
        found = compare("upserts.kept", ours, theirs, ["day", "customer"])
        assert found is None, str(found)
    amounts = {f"{row['day']} {row['customer']}": str(row["amount"]) for row in ours.to_pylist()}
    assert amounts == {
        "2026-01-30 a": "1.10",  # older than what the second run looked at
        "2026-01-31 a": "2.25",
        "2026-01-31 b": "3.30",
        "2026-02-01 c": "4.00",
    }


def test_the_second_run_replaces_and_adds(spark: Spark, tmp_path: Path) -> None:
    upserts(spark, tmp_path)
