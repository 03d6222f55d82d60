"""What can be asked of any ingest DAG and of a finished round."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from extract.contract import read_all
from kehu.settings import CLONE
from tests.dags.conftest import Round
from warehouse import connection, runs


def assert_shape(dag: Any, system: str) -> None:
    """Three tasks in order, the asset from the last, a local day per run, no catching up."""
    assert dag.task_dict.keys() == {"extract", "validate", "load"}
    assert dag.get_task("extract").downstream_task_ids == {"validate"}
    assert dag.get_task("validate").downstream_task_ids == {"load"}
    outlets = {task.task_id: [asset.name for asset in task.outlets] for task in dag.tasks}
    assert outlets == {"extract": [], "validate": [], "load": [f"raw_{system}"]}
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
    assert dag.is_paused_upon_creation


def assert_day(settings: Any) -> None:
    """The day is the one asked for, else the last local day of the interval."""
    from dags.blocks.defaults import day_of  # imports Airflow: its environment must be set

    end = datetime(2026, 2, 1, tzinfo=UTC) - timedelta(hours=8)  # midnight in Shanghai
    scheduled = {"params": {"day": None}, "data_interval_end": end}
    assert day_of(scheduled, settings).isoformat() == "2026-01-31"
    assert day_of({"params": {"day": "2013-06-30"}}, settings).isoformat() == "2013-06-30"
    by_hand = {"params": {}, "dag_run": SimpleNamespace(run_after=end + timedelta(hours=9))}
    assert day_of(by_hand, settings).isoformat() == "2026-02-01"


def assert_ingested(finished: Round, system: str) -> None:
    """Every table of the system: source = landed = loaded + quarantined + duplicate."""
    with connection.read(finished.settings) as con:
        rows = {row["table"]: row for row in runs.reconciliation(con) if row["system"] == system}
        sizes = {
            table: con.execute(f'select count(*) from raw."{system}__{table}"').fetchone()
            for table in rows
        }
    contracts = {c.table for c in read_all([CLONE / "extract" / "contracts"], system)}
    assert set(rows) == contracts
    for table, row in rows.items():
        assert row["source"] == row["landed"] > 0, table
        assert row["landed"] == row["loaded"] + row["quarantined"] + row["duplicate"], table
        found = sizes[table]
        assert found is not None
        assert found[0] >= row["loaded"] > 0, table


def assert_planted(finished: Round, system: str) -> None:
    """The gate's reasons are those that the generator planted, with their counts."""
    state = finished.settings.demo_sources / "truth" / "state.json"
    planted = {
        name: reasons
        for name, reasons in json.loads(state.read_text(encoding="utf-8"))["planted"].items()
        if name.startswith(f"{system}.")
    }
    with connection.read(finished.settings) as con:
        first: dict[str, dict[str, int]] = {}
        for table, reasons in con.execute(
            'select "table", reasons from ops.reconciliation where system = ? order by batch',
            [system],
        ).fetchall():
            first.setdefault(f"{system}.{table}", json.loads(reasons))
    found = {name: reasons for name, reasons in first.items() if reasons}
    assert found == planted
