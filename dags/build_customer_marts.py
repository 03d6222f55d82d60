"""Builds identities, facts, metrics, scores and marts from everything that is loaded.

Kind: now. A run always works on the newest loaded day; after a failure start a new one or clear it.
Makes: every table of dbt on the engine (KEHU_ENGINE), tested, and the asset `marts`.
Who is told: the owner, in the Airflow UI and in `report/failures.jsonl`; readers keep the last
good version.

One task builds all layers: it holds the one slot of the writer from the first model to the last,
so no load can slip in between two layers and leave marts of two different states.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, get_current_context, task

from dags.blocks.assets import MARTS, RAW
from dags.blocks.defaults import WRITES, run_id_of, when_changed
from dags.blocks.messages import fit_for_logs


@task(outlets=[MARTS], execution_timeout=timedelta(hours=2), **WRITES)
@fit_for_logs
def build_marts() -> None:
    """Unless a table is held, let the engine see what is loaded; build and test by layer."""
    from dags.blocks.marts import build_all
    from kehu.settings import load

    context = get_current_context()
    run_id = run_id_of(context)
    as_of = build_all(load(), run_id, context["dag_run"].dag_id)
    context["outlet_events"][MARTS].extra = {"run_id": run_id, "as_of": as_of.isoformat()}


@dag(**when_changed(list(RAW.values())), tags=["marts"], doc_md=__doc__)
def build_customer_marts() -> None:
    build_marts()


build_customer_marts()
