"""Statistics between the layers: read from the engine, written to it, failing without a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import yaml

from analytics.steps import STEPS, Step
from dags.blocks.dbt import LAYERS
from dags.blocks.statistics import run_after
from kehu.errors import WarehouseError
from kehu.settings import CLONE, Settings
from tests.dbt_project.scratch_warehouse import ScratchWarehouse
from warehouse.engines import Engine, opened

SOURCES = CLONE / "dbt_project" / "models" / "statistics" / "_analytics__sources.yml"
DAYS = [date(2026, 1, 31)]


def count(as_of_dates: Sequence[date], people: pa.Table) -> Mapping[str, pa.Table]:
    """A step: how many rows, per day."""
    days = pa.array(as_of_dates, pa.date32())
    return {"counts": pa.table({"as_of_date": days, "people": [people.num_rows] * len(days)})}


def fail(as_of_dates: Sequence[date], people: pa.Table) -> Mapping[str, pa.Table]:
    raise ValueError(f"cannot convert {people['name'][0]}")


def step(function: str, makes: Sequence[str] = ("counts",)) -> Step:
    return Step("counting", "core", {"people": "core.people"}, makes, f"{__name__}:{function}")


@pytest.fixture
def engine(settings: Settings) -> Engine:
    settings.work_file.parent.mkdir(parents=True)
    with opened(settings) as duck:
        duck.write("core.people", pa.table({"name": ["Li Canary", "Wu Canary"]}))
        return duck


def test_a_step_runs_after_its_layer_only(engine: Engine) -> None:
    assert run_after("staging", engine=engine, as_of_dates=DAYS, steps=[step("count")]) == {}
    seconds = run_after("core", engine=engine, as_of_dates=DAYS, steps=[step("count")])
    assert seconds.keys() == {"counting"}
    assert engine.fetch("select * from analytics.counts") == [(DAYS[0], 2)]


def test_a_failing_step_is_named_without_a_cell(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(WarehouseError, match="statistics counting failed: ValueError") as raised:
        run_after("core", engine=engine, as_of_dates=DAYS, steps=[step("fail")])
    assert "Canary" not in str(raised.value) + caplog.text
    assert raised.value.__cause__ is None


def test_a_step_makes_what_it_says(engine: Engine) -> None:
    with pytest.raises(WarehouseError, match="ValueError"):
        run_after("core", engine=engine, as_of_dates=DAYS, steps=[step("count", ["others"])])


def test_steps_and_sources_name_the_same_tables() -> None:
    (source,) = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))["sources"]
    promised = {table["name"] for table in source["tables"]}
    assert {name for each in STEPS for name in each.makes} == promised
    assert {each.after for each in STEPS} <= set(LAYERS)
    assert len({each.name for each in STEPS}) == len(STEPS)


def test_models_find_their_table_before_the_first_step(tmp_path: Path) -> None:
    """dbt makes it empty from the promise, and leaves one that is there alone."""
    warehouse = ScratchWarehouse.make(tmp_path / "scratch", [], {})
    (warehouse.folder / "models" / "sources.yml").write_text(
        "version: 2\nsources: [{name: analytics, schema: analytics, tables: [{name: counts, "
        "columns: [{name: as_of_date, data_type: date}, {name: people, data_type: bigint}]}]}]\n",
        encoding="utf-8",
    )
    reader = warehouse.folder / "models" / "core" / "reader.sql"
    reader.write_text("select * from {{ source('analytics', 'counts') }}\n", encoding="utf-8")
    warehouse.build("--select", "reader")
    assert warehouse.query("select * from core.reader") == []
    with duckdb.connect(str(warehouse.folder / "work.duckdb")) as connection:
        connection.execute("insert into analytics.counts values (date '2026-01-31', 2)")
    warehouse.build("--select", "reader")
    assert warehouse.query("select * from core.reader") == [(DAYS[0], 2)]
