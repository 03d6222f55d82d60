"""Runs, their seconds, and the report whose numbers must add up."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kehu.errors import WarehouseError
from kehu.settings import Settings
from tests.warehouse.landed import PAYMENTS, settings_at
from warehouse import connection, raw, runs

BUILD = "build_customer_marts"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def noted(settings: Settings, run_id: str) -> runs.Run:
    with connection.read(settings) as con:
        found = runs.last(con, run_id)
    assert found is not None
    return found


def test_a_run_is_noted_from_start_to_end(settings: Settings) -> None:
    with runs.run(settings, "run-1", BUILD, date(2026, 1, 31)) as stages:
        assert noted(settings, "run-1").status == "running"
        stages["staging"] = 1.25
    run = noted(settings, "run-1")
    assert (run.dag_id, run.status, run.as_of_date) == (BUILD, "success", date(2026, 1, 31))
    assert run.finished_at is not None and run.finished_at >= run.started_at
    with connection.read(settings) as con:
        assert con.execute("select * from ops.stage_seconds").fetchall() == [
            ("run-1", "staging", 1.25)
        ]


def test_a_failed_run_tells_what_without_values(settings: Settings) -> None:
    with pytest.raises(ValueError, match="CANARY"), runs.run(settings, "run-1", BUILD):
        raise ValueError("CANARY")
    with pytest.raises(WarehouseError), runs.run(settings, "run-2", BUILD):
        raise WarehouseError("A rule broke.", where="here", do="look")
    assert (noted(settings, "run-1").status, noted(settings, "run-1").message) == (
        "failed",
        "ValueError",
    )
    assert noted(settings, "run-2").message == "A rule broke."


def test_only_a_finished_build_may_be_published(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="does not exist yet"):
        runs.built_run(settings)
    raw.create_all([PAYMENTS], settings)
    with pytest.raises(WarehouseError, match="no build yet"):
        runs.built_run(settings)
    with runs.run(settings, "run-1", BUILD):
        pass
    with runs.run(settings, "other", "ingest_billing"):
        pass
    assert runs.built_run(settings) == "run-1"
    runs.start(settings, "run-2", BUILD)
    with pytest.raises(WarehouseError, match="last build is running"):
        runs.built_run(settings)
    runs.finish(settings, "run-2", "failed")
    with pytest.raises(WarehouseError, match="last build is failed"):
        runs.built_run(settings)
