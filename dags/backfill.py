"""Backfill: past local days of one ingest, through Airflow's own backfill.

In: a system, the first and the last local day. Out: queued runs, which the scheduler of `make up`
carries out beside the daily ones. Touches Airflow's database.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dags import environment
from kehu.errors import SettingsError
from kehu.settings import Settings

RUNS_AT_ONCE = "2"


def backfill(
    settings: Settings, system: str, first: date, last: date, *, again: bool = False
) -> list[str]:
    """Queue a run per local day from `first` to `last`; gives the ids of the runs.

    A day that has a run already is left out, or with `again` run once more when it has ended.
    Raises `SettingsError` when the days are not in order, nothing is left to run, or another
    backfill of the DAG is not finished.
    """
    if last < first:
        raise SettingsError(
            "The days are not in order.", where=f"{first} to {last}", do="give the earlier first"
        )
    environment.prepare(settings)
    from airflow.cli.cli_parser import get_parser
    from airflow.models.backfill import AlreadyRunningBackfill

    dag_id = f"ingest_{system}"
    zone = ZoneInfo(settings.timezone)
    # A run bears the moment at which its interval begins, not the time of day of the schedule's
    # next tick: so the whole of each local day is asked for.
    start = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    arguments = get_parser().parse_args(
        [
            *("backfill", "create", "--dag-id", dag_id, "--max-active-runs", RUNS_AT_ONCE),
            *("--from-date", start.isoformat()),
            *("--to-date", (end - timedelta(seconds=1)).isoformat()),
            *("--reprocess-behavior", "completed" if again else "none"),
        ]
    )
    _write_from_the_start()
    before = _newest()
    try:
        with suppress(SystemExit):  # how Airflow says that there is no day to run
            arguments.func(arguments)
    except AlreadyRunningBackfill:
        raise SettingsError(
            "Another backfill is not finished yet; Airflow runs one at a time per DAG.",
            where=f"{dag_id}, {first} to {last}",
            do="wait until the scheduler has closed it, or cancel it in the UI, then start again",
        ) from None
    if not (queued := _runs_since(before)):
        raise SettingsError(
            "There is no run to create: every day of the interval has one.",
            where=f"{dag_id}, {first} to {last}",
            do="give --again to run finished days once more",
        )
    return queued


def _write_from_the_start() -> None:
    """Let this process's transactions on SQLite take the writer's lock when they begin.

    A backfill reads before it writes. SQLite refuses such a transaction at once, without waiting,
    when the scheduler has written in between.
    """
    from airflow import settings as airflow_settings
    from sqlalchemy import event

    engine = airflow_settings.get_engine()
    if engine.dialect.name != "sqlite":
        return
    engine.dispose()

    @event.listens_for(engine, "connect")
    def begin_nothing(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_immediate(connection: Any) -> None:
        connection.exec_driver_sql("begin immediate")


def _newest() -> int:
    from airflow.models.backfill import Backfill
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    with create_session() as session:
        return session.scalar(select(func.coalesce(func.max(Backfill.id), 0))) or 0


def _runs_since(backfill_id: int) -> list[str]:
    from airflow.models.backfill import BackfillDagRun
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return list(
            session.scalars(
                select(DagRun.run_id)
                .join(BackfillDagRun, BackfillDagRun.dag_run_id == DagRun.id)
                .where(BackfillDagRun.backfill_id > backfill_id)
                .order_by(DagRun.logical_date)
            )
        )
