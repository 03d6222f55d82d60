"""Gives readers a new version: copied, audited, switched by one rename; then the report.

Kind: now. A run publishes the newest build; after a failure start a new one or clear it.
Makes: `published/kehu.duckdb`, `published/parquet/current`, `report/index.html`, and the asset
`published`.
Who is told: the owner, in the Airflow UI and in `report/failures.jsonl`; readers keep the last
good version.
"""

from __future__ import annotations

import time

from airflow.sdk import dag, get_current_context, task

from dags.blocks import reports
from dags.blocks.assets import MARTS, PUBLISHED
from dags.blocks.defaults import WRITES, when_changed
from dags.blocks.messages import fit_for_logs


@task(outlets=[PUBLISHED], **WRITES)
@fit_for_logs
def publish() -> dict[str, str]:
    """Copy the marts of the newest build into a new file, audit it, switch readers to it."""
    from dags.blocks.engine import engine_of
    from expectations.published import audit
    from kehu.settings import load
    from warehouse import publish, runs

    context, settings = get_current_context(), load()
    run_id = runs.built_run(settings)
    began = time.monotonic()
    with engine_of(settings) as engine:
        version = publish.publish(settings, run_id, audit, engine)
    runs.stage(settings, run_id, "publish", time.monotonic() - began)
    context["outlet_events"][PUBLISHED].extra = {"run_id": run_id, "version": version.name}
    return {"run_id": run_id, "version": str(version)}


@task
@fit_for_logs
def report(published: dict[str, str]) -> None:
    """Write the run report and the page people look at."""
    from pathlib import Path

    from kehu.settings import load
    from report.build import build

    reports.of_publication(get_current_context(), published["run_id"], Path(published["version"]))
    build(load())


@dag(**when_changed([MARTS]), tags=["marts", "publish"], doc_md=__doc__)
def publish_marts() -> None:
    report(publish())


publish_marts()
