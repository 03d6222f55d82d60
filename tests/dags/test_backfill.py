"""Backfill of past days by Airflow itself, beside the daily run; `python -m dags backfill`."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import Any

import pyarrow.parquet as pq
import pytest

from dags.reconcile import reconcile
from extract import landing
from kehu.settings import CLONE
from tests.dags.test_scheduler import Airflow, environment_of, eventually, failures_of, started
from warehouse import connection

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]
EVERY_DAY = "0 0 * * *"


def backfill(
    airflow: Airflow, first: str, last: str, *more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "dags", "backfill", "billing"),
            "--from",
            first,
            "--to",
            last,
            *more,
        ],
        cwd=CLONE,
        env=environment_of(airflow.settings.home, EVERY_DAY),
        capture_output=True,
        text=True,
        check=False,
    )


def finished(airflow: Airflow, kind: str, number: int) -> bool:
    runs = [one for one in airflow.runs_of("ingest_billing") if one["run_type"] == kind]
    assert all(one["state"] != "failed" for one in runs), failures_of(airflow.settings)
    return sum(one["state"] == "success" for one in runs) >= number


def current(airflow: Airflow) -> list[tuple[Any, ...]]:
    with connection.read(airflow.settings) as con:
        return con.execute(
            "select bill_no, _row_hash from raw.billing__bills"
            " where _is_current and not _is_deleted order by all"
        ).fetchall()


def refused_backfill(airflow: Any, seen: list[str]) -> str:
    """What is said to who asks for a day that has a run."""
    outcome = backfill(airflow, "2026-01-30", "2026-01-30")
    assert outcome.returncode == 1
    seen.append(outcome.stderr)
    return seen[-1]


def test_past_days_are_read_beside_the_daily_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    with started(tmp_path_factory.mktemp("backfilled"), EVERY_DAY, 100) as airflow:
        dag = "/api/v2/dags/ingest_billing"
        eventually(60, lambda: airflow.call("GET", dag)["is_paused"] is True)

        queued = backfill(airflow, "2026-01-29", "2026-01-30")
        assert queued.returncode == 0, queued.stderr
        assert "2 runs of ingest_billing are queued" in queued.stdout
        # Switched on, it starts the run of yesterday, too: they overlap.
        airflow.call("PATCH", dag, {"is_paused": False})
        eventually(
            400, lambda: finished(airflow, "backfill", 2) and finished(airflow, "scheduled", 1)
        )

        read = {
            batch.day: batch
            for batch in landing.batches(airflow.settings.landing, "billing", "bills")
        }
        # the lag of the contract before midnight, to the end of the local day
        spans = {
            date(2026, 1, 29): ("2026-01-28T23:50:00", "2026-01-30T00:00:00"),
            date(2026, 1, 30): ("2026-01-29T23:50:00", "2026-01-31T00:00:00"),
        }
        for day, (after, before) in spans.items():
            assert landing.read_manifest(read[day]).cursor_from == after
            cursors = pq.read_table(read[day].data).column("updated_at").to_pylist()
            assert all(after < moment.isoformat() < before for moment in cursors)
        assert len(read) == 3

        # Whatever the order was: the warehouse holds what the source holds, each batch once.
        assert all(each.is_equal for each in reconcile(airflow.settings, "billing"))
        once = current(airflow)
        with connection.read(airflow.settings) as con:
            entered = con.execute(
                "select count(*), count(distinct batch) from ops.ledger where \"table\" = 'bills'"
            ).fetchone()
        assert entered == (3, 3)

        # A day that has a run is left out, and the person is told so.
        refused = []
        # the scheduler closes a finished backfill some seconds later; until then it says so
        eventually(120, lambda: "--again" in refused_backfill(airflow, refused))
        assert all("Another backfill is not finished" in each for each in refused[:-1])
        assert current(airflow) == once
