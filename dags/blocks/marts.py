"""One build of everything that is loaded, in the process of the task that holds the writer.

In: settings, the ids of run and DAG. Out: the newest as-of date. Touches: the engine's tables, the
working file, landing (what a build decided about customer ids).
"""

from __future__ import annotations

import time
from datetime import date
from functools import partial

from dags.blocks.dbt import build
from dags.blocks.engine import engine_of
from dags.blocks.identity import remember
from dags.blocks.statistics import run_after
from dags.blocks.steward import load_decisions
from extract.contract import read_all
from kehu.settings import Settings
from warehouse import identity_memory, raw, runs, volume


def build_all(settings: Settings, run_id: str, dag_id: str) -> date:
    """Load people's decisions, build and test by layer, remember which customer has which id."""
    load_decisions(settings, run_id)
    as_of_dates = raw.as_of_dates(settings)
    days = [date.fromisoformat(day) for day in as_of_dates]
    as_of = max(days)
    with runs.run(settings, run_id, dag_id, as_of) as stages, engine_of(settings) as engine:
        volume.require_accepted(settings)
        began = time.monotonic()
        engine.register_raw(read_all(settings.contract_dirs))
        stages["register"] = time.monotonic() - began
        after = partial(run_after, engine=engine, as_of_dates=days)
        stages.update(build(settings, as_of_dates, engine, after))
        began = time.monotonic()
        remember(identity_memory.settle(settings, engine, run_id, as_of), settings, run_id)
        stages["remember"] = time.monotonic() - began
    return as_of
