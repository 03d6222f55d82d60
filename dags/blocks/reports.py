"""What a run leaves for people when it ends: its report as JSON and as a page, and its retries.

In: the context of a task. Out: `run-<run_id>.json` and `.html` in `<home>/report`, and a line per
retry in `retries.jsonl` there. Touches these files. A report that cannot be written never fails a
run or hides why it failed: the log says so.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extract.disk import make_private
from kehu.settings import Settings, load

if TYPE_CHECKING:
    from warehouse.run_report import Told

log = logging.getLogger(__name__)


def record_retry(context: Mapping[str, Any]) -> None:
    """Note that a task is tried again, and after which kind of error."""
    from dags.blocks.defaults import run_id_of

    path = load().run_reports / "retries.jsonl"
    make_private(path.parent)
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "run_id": run_id_of(context),
        "task_id": context["ti"].task_id,
        "error": type(context.get("exception")).__name__,
    }
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def of_ingest(context: Mapping[str, Any], failure: Mapping[str, str] | None = None) -> None:
    """The report of an ingest run that ends with this task; `failure` tells why it failed."""
    from dags.blocks.defaults import run_id_of

    try:
        from report.run_page import build
        from warehouse import run_report

        settings, run_id = load(), run_id_of(context)
        build(run_report.of_ingest(settings, run_id, _told(context, settings, failure)))
    except Exception as error:
        log.warning("the run report could not be written: %s", type(error).__name__)


def of_validation(settings: Settings, tables: set[str]) -> None:
    """The pages of Data Docs about these tables."""
    try:
        from expectations import data_docs

        if tables:
            data_docs.build(settings, tables)
    except Exception as error:
        log.warning("Data Docs could not be written: %s", type(error).__name__)


def of_publication(context: Mapping[str, Any], run_id: str, version: Path) -> None:
    """The report of a build that was published; raises when its books do not add up."""
    from report.run_page import build
    from warehouse import run_report

    settings = load()
    told = _told(context, settings, None)
    build(run_report.of_publication(settings, run_id, version, told))


def _told(
    context: Mapping[str, Any], settings: Settings, failure: Mapping[str, str] | None
) -> Told:
    from dags.blocks.defaults import day_of, run_id_of
    from warehouse.run_report import Told

    run = context["dag_run"]
    ends = (context.get("data_interval_start"), context.get("data_interval_end"))
    return Told(
        dag_id=run.dag_id,
        status="failed" if failure else "success",
        started_at=getattr(run, "start_date", None),
        finished_at=datetime.now(UTC),
        day=day_of(context, settings),
        interval=[moment.isoformat() for moment in ends if moment is not None],
        failure=failure,
        retries=list(_retries(settings, run_id_of(context))),
    )


def _retries(settings: Settings, run_id: str) -> Iterator[dict[str, str]]:
    path = settings.run_reports / "retries.jsonl"
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            entry: dict[str, str] = json.loads(line)
            if entry.pop("run_id") == run_id:
                yield entry
