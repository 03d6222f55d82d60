"""What every DAG shares: owner, retries, time limits, the pool, and who is told of a failure.

In: the context of a task. Out: arguments for `@dag`, run ids and days. Touches: on failure, one
line in `<home>/report/failures.jsonl`, which `python -m dags run` and the run report show.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import CronDataIntervalTimetable, Param
from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule

from dags.blocks import reports
from dags.environment import POOL, failures_file
from extract.disk import make_private
from extract.span import Interval
from kehu.errors import KehuError
from kehu.settings import Settings, load

FINAL = (
    "kehu.errors.AccessError",
    "kehu.errors.ContractError",
    "kehu.errors.DriftError",
    "kehu.errors.LandingError",
    "kehu.errors.SettingsError",
    "kehu.errors.StorageAccessError",
    "kehu.errors.ValidationError",
    "kehu.errors.WarehouseError",
)
"""Errors that a person must act on: trying again would only repeat them."""

WRITES: Mapping[str, Any] = {"pool": POOL}
"""Arguments of a task that opens the working file for writing: one at a time."""


def record_failure(context: Mapping[str, Any]) -> None:
    """Append what failed to the failures file: the message of a KehuError, else its type only.

    Other exceptions may quote a cell; their text stays in the task's log.
    """
    error, task = context.get("exception"), context["ti"]
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "dag_id": task.dag_id,
        "task_id": task.task_id,
        "run_id": task.run_id,
        "error": type(error).__name__,
        "what": "The task failed unexpectedly.",
        "where": f"{task.dag_id}.{task.task_id}",
        "do": "read the log of the task; if it is a defect, report it",
    }
    if isinstance(error, KehuError):
        entry |= {"what": error.what, "where": error.where, "do": error.do}
    path = failures_file(load())
    make_private(path.parent)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    if task.dag_id.startswith("ingest_"):
        reports.of_ingest(context, entry)


DEFAULT_ARGS: dict[str, Any] = {
    "owner": "data-warehouse",
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": ExceptionRetryPolicy(
        [RetryRule(list(FINAL), RetryAction.FAIL, reason="trying again would not heal this")]
    ),
    "execution_timeout": timedelta(minutes=30),
    "on_failure_callback": record_failure,
    "on_retry_callback": reports.record_retry,
}


def every_day() -> dict[str, Any]:
    """Arguments of a DAG that reads one local day per run, started when the day is over."""
    settings = load()
    zone = settings.timezone
    return {
        "schedule": CronDataIntervalTimetable(settings.ingest_schedule, timezone=zone),
        "start_date": datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)),
        "catchup": False,
        # A new installation reads its sources only after someone has looked at its settings.
        "is_paused_upon_creation": True,
        "max_active_runs": 1,
        "default_args": DEFAULT_ARGS,
        "params": {
            "day": Param(
                None,
                type=["null", "string"],
                format="date",
                description="Local day to read up to; empty: the last day of the data interval.",
            ),
            "full": Param(
                False, type="boolean", description="Read whole tables, whatever the watermarks say."
            ),
            "table": Param(
                None,
                type=["null", "string"],
                description="Read this table only, such as bills; empty: every table.",
            ),
        },
    }


def when_changed(schedule: Any) -> dict[str, Any]:
    """Arguments of a DAG that runs when its assets have changed; it may be started by hand."""
    return {
        "schedule": schedule,
        "start_date": datetime(2026, 1, 1, tzinfo=UTC),
        "catchup": False,
        "is_paused_upon_creation": False,
        "max_active_runs": 1,
        "default_args": DEFAULT_ARGS,
    }


def day_of(context: Mapping[str, Any], settings: Settings) -> date:
    """The local day a run stands for: asked for, or the last one its data interval covers."""
    if asked := (context.get("params") or {}).get("day"):
        return date.fromisoformat(asked)
    end = context.get("data_interval_end") or context["dag_run"].run_after
    last: datetime = end - timedelta(microseconds=1)
    return last.astimezone(ZoneInfo(settings.timezone)).date()


def interval_of(context: Mapping[str, Any]) -> Interval | None:
    """The time a scheduled or backfilled run stands for; None for one that was started by hand."""
    kind = str(getattr(context["dag_run"].run_type, "value", context["dag_run"].run_type))
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    asked = (context.get("params") or {}).get("day")
    if asked or kind not in ("scheduled", "backfill") or start is None or end is None:
        return None
    return Interval(start, end, is_backfill=kind == "backfill")


def run_id_of(context: Mapping[str, Any]) -> str:
    """Our id of a DAG run: 32 hex digits, the same in each of its tasks and tries."""
    run = context["dag_run"]
    return hashlib.sha256(f"{run.dag_id}|{run.run_id}".encode()).hexdigest()[:32]
