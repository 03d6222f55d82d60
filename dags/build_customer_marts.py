"""Builds identities, facts, metrics, scores and marts from everything that is loaded.

Kind: now. A run always works on the newest loaded day; after a failure start a new one or clear it.
Makes: every table of dbt on the engine (KEHU_ENGINE), tested, and the asset `marts`.
Who is told: the owner, in the Airflow UI and in `report/failures.jsonl`; readers keep the last
good version.

One task builds all layers: it holds the one slot of the writer from the first model to the last,
so no load can slip in between two layers and leave marts of two different states.
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from functools import partial

from airflow.sdk import dag, get_current_context, task

from dags.blocks.assets import MARTS, RAW
from dags.blocks.defaults import WRITES, run_id_of, when_changed
from dags.blocks.messages import fit_for_logs


@task(outlets=[MARTS], execution_timeout=timedelta(hours=2), **WRITES)
@fit_for_logs
def build_marts() -> None:
    """Unless a table is held, let the engine see what is loaded; build and test by layer."""
    from dags.blocks.dbt import build
    from dags.blocks.engine import engine_of
    from dags.blocks.identity import remember
    from dags.blocks.statistics import run_after
    from dags.blocks.steward import load_decisions
    from extract.contract import read_all
    from kehu.settings import load
    from warehouse import identity_memory, raw, runs, volume

    context, settings = get_current_context(), load()
    run_id = run_id_of(context)
    load_decisions(settings, run_id)
    as_of_dates = raw.as_of_dates(settings)
    variables = {"as_of_dates": as_of_dates, "reporting_currency": settings.reporting_currency}
    days = [date.fromisoformat(day) for day in as_of_dates]
    as_of = max(days)
    with (
        runs.run(settings, run_id, context["dag_run"].dag_id, as_of) as stages,
        engine_of(settings) as engine,
    ):
        volume.require_accepted(settings)
        began = time.monotonic()
        engine.register_raw(read_all(settings.contract_dirs))
        stages["register"] = time.monotonic() - began
        after = partial(run_after, engine=engine, as_of_dates=days)
        stages.update(build(settings, variables, engine, after))
        began = time.monotonic()
        remember(identity_memory.settle(settings, engine, run_id, as_of), settings, run_id)
        stages["remember"] = time.monotonic() - began
    context["outlet_events"][MARTS].extra = {"run_id": run_id, "as_of": as_of.isoformat()}


@dag(**when_changed(list(RAW.values())), tags=["marts"], doc_md=__doc__)
def build_customer_marts() -> None:
    build_marts()


build_customer_marts()
