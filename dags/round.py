"""One round of every DAG, in one process: what `make demo` and `make real` run.

In: the settings and a day. Out: True and short tables on success; False and the message of what
failed. Touches: what the DAGs touch, Airflow's database, a log file in `<home>/airflow/logs`.

Airflow, Great Expectations and dbt cost 15 seconds to import; one process pays once. The scheduler
runs the same files with the same result (`tests/dags/test_scheduler.py`).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO

from dags import environment
from extract.disk import make_private
from kehu.errors import SettingsError
from kehu.settings import CLONE, SYSTEMS, Settings

ROUND = (*(f"ingest_{system}" for system in SYSTEMS), "build_customer_marts", "publish_marts")
"""Every DAG of a round, in order."""


def run(settings: Settings, day: date, *, full: bool = False, to: TextIO | None = None) -> bool:
    """Run the round for `day`; show progress and, at the end, the tables (`to`: the screen)."""
    environment.prepare(settings)
    make_private(environment.airflow_home(settings) / "logs")
    log = (
        environment.airflow_home(settings)
        / "logs"
        / f"round-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log"
    )
    began = time.monotonic()
    with output_to(log) as real_screen:
        screen = to or real_screen
        say = _speaker(screen)
        say(f"Round for {day}; everything Airflow, dbt and the stages say goes to {_short(log)}")
        migrate(settings)
        say(f"  {'airflow':<22} ready                     {time.monotonic() - began:6.1f} s")
        for dag_id, dag in _dags().items():
            started = time.monotonic()
            began_at = datetime.now(UTC)
            outcome = _run_one(dag, day, settings, full)
            tasks = "  ".join(f"{name} {seconds:.1f}" for name, seconds in _tasks(outcome))
            state = str(outcome.state.value if hasattr(outcome.state, "value") else outcome.state)
            say(f"  {dag_id:<22} {state:<9} {tasks}   {time.monotonic() - started:6.1f} s")
            if state != "success":
                for entry in failures(settings, since=began_at):
                    say(
                        f"\n{entry['dag_id']}.{entry['task_id']}: {entry['what']}\n"
                        f"  where: {entry['where']}\n  do:    {entry['do']}"
                    )
                say(f"\nStopped. Readers keep the last published version. Log: {_short(log)}")
                return False
        _forget_asset_events()
        say(f"  {'round':<22} finished{time.monotonic() - began:>25.1f} s\n")
        _show(settings, screen)
        say(f"\nPage: {_short(settings.run_reports / 'index.html')}")
    return True


def migrate(settings: Settings, api_port: int | None = None) -> None:
    """Make or migrate Airflow's own database, and the pool of the writer."""
    environment.prepare(settings, api_port)
    make_private(environment.airflow_home(settings))
    from airflow.models.pool import Pool
    from airflow.utils import db

    db.upgradedb()
    Pool.create_or_update_pool(
        environment.POOL,
        slots=1,
        description="One writer: DuckDB shuts out every other process while one writes.",
        include_deferred=False,
    )


def _dags() -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(CLONE / "dags"))
    if bag.import_errors:
        path, error = next(iter(bag.import_errors.items()))
        raise SettingsError(
            f"A DAG file cannot be imported: {error.strip().splitlines()[-1]}",
            where=path,
            do="correct the file; `make lint types imports` finds most causes",
        )
    return {dag_id: bag.dags[dag_id] for dag_id in ROUND}


def _run_one(dag: Any, day: date, settings: Settings, full: bool) -> Any:
    """One DAG in this process. No retries: the person at the screen hears at once."""
    for task in dag.tasks:
        task.retries = 0
    asked = {"day": day.isoformat(), "full": full} if dag.params else {}
    return dag.test(logical_date=None, run_conf=asked)


def _show(settings: Settings, screen: TextIO) -> None:
    """Per source table what became of its rows, per mart its rows, and seconds per stage."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from warehouse.screen import status

    newest = max(settings.run_reports.glob("run-*.json"), key=lambda path: path.stat().st_mtime)
    report = json.loads(newest.read_text(encoding="utf-8"))
    seconds = {
        stage: sum(row[f"{stage}_seconds"] for row in report["tables"])
        for stage in ("extract", "validate", "load")
    }
    run_id = report["run"]["run_id"]
    seconds |= {
        row["stage"]: row["seconds"] for row in report["seconds"] if row["run_id"] == run_id
    }
    stages = Table("stage", title="Seconds of work per stage", box=box.SIMPLE)
    stages.add_column("seconds", justify="right")
    for stage, took in seconds.items():
        stages.add_row(stage, f"{took:.1f}")
    console = Console(file=screen, width=max(122, Console(file=screen).width))
    for table in (*status(settings), stages):
        console.print(table)


def _tasks(outcome: Any) -> list[tuple[str, float]]:
    done = [task for task in outcome.get_task_instances() if task.state in ("success", "failed")]
    return [
        (task.task_id, (task.end_date - task.start_date).total_seconds())
        for task in sorted(done, key=lambda task: task.start_date)
    ]


def _forget_asset_events() -> None:
    """The round has built and published: a scheduler started later need not do so again."""
    from airflow.models.asset import AssetDagRunQueue
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(AssetDagRunQueue))


def failures(settings: Settings, since: datetime) -> Iterator[dict[str, str]]:
    """What failed since a moment, as `dags.blocks.defaults.record_failure` wrote it."""
    path = environment.failures_file(settings)
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            entry: dict[str, str] = json.loads(line)
            if datetime.fromisoformat(entry["at"]) >= since:
                yield entry


@contextmanager
def output_to(log: Path) -> Iterator[TextIO]:
    """Send everything that is printed, by whatever library, to `log`; give the real screen."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        with os.fdopen(os.dup(kept[0]), "w", encoding="utf-8", buffering=1) as screen:
            yield screen
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for handle in (*kept, target):
            os.close(handle)


def _speaker(screen: TextIO) -> Any:
    def say(text: str) -> None:
        screen.write(text + "\n")
        screen.flush()

    return say


def _short(path: Path) -> str:
    return str(path.relative_to(CLONE)) if path.is_relative_to(CLONE) else str(path)
