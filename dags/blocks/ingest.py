"""The tasks of an ingest: extract, validate, load. Batch addresses travel between them.

In: a system's name. Out: landed, judged and loaded batches, and the asset `raw_<system>`.
Touches: whatever the stages touch; itself nothing. Stages are imported inside the tasks, because
this file is imported whenever Airflow parses a DAG.
"""

from __future__ import annotations

import logging

from airflow.sdk import get_current_context, task

from dags.blocks import reports
from dags.blocks.assets import RAW
from dags.blocks.defaults import WRITES, day_of, interval_of, run_id_of
from dags.blocks.messages import fit_for_logs
from kehu.settings import Settings
from kehu.settings import load as load_settings

log = logging.getLogger(__name__)


def _is_left_out(system: str, settings: Settings) -> bool:
    """A folder of files need not hold every system; a database always does."""
    from extract.contract import read_all

    return settings.source_url(system).startswith("file:") and not any(
        contract.file for contract in read_all(settings.contract_dirs, system)
    )


def extract_validate_load(system: str) -> None:
    """Add the three tasks of `system` to the DAG at hand."""

    @task
    @fit_for_logs
    def extract() -> list[str]:
        """Read every table of the system in one snapshot into landing."""
        from extract.landing import read_manifest
        from extract.run import extract_system
        from warehouse.raw import watermarks

        context, settings = get_current_context(), load_settings()
        if _is_left_out(system, settings):
            log.warning("%s: the folder of files holds nothing of this system", system)
            return []
        batches = extract_system(
            system,
            day=day_of(context, settings),
            run_id=run_id_of(context),
            watermarks=watermarks(system, settings),
            settings=settings,
            full=bool(context["params"]["full"]),
            table=context["params"].get("table"),
            interval=interval_of(context),
        )
        for batch in batches:
            manifest = read_manifest(batch)
            log.info(
                "%s.%s: source %s, landed %s%s",
                batch.system,
                batch.table,
                manifest.source_rows,
                manifest.landed_rows,
                "".join(f"; {change}" for change in manifest.schema_changes),
            )
        return [str(batch.address) for batch in batches]

    @task
    @fit_for_logs
    def validate(addresses: list[str]) -> list[str]:
        """Judge every row of the batches: passed or quarantined, with reasons."""
        from expectations.gate import require_passed, validate_all
        from extract.landing import Batch

        settings = load_settings()
        verdicts = validate_all(
            [Batch.at(settings.landing, address) for address in addresses], settings
        )
        for verdict in verdicts:
            log.info(
                "%s.%s: passed %s, quarantined %s %s",
                verdict.system,
                verdict.table,
                verdict.passed_rows,
                verdict.quarantined_rows,
                verdict.reasons or "",
            )
        reports.of_validation(settings, {f"{v.system}.{v.table}" for v in verdicts})
        require_passed(verdicts)
        return addresses

    @task(outlets=[RAW[system]], **WRITES)
    @fit_for_logs
    def load(addresses: list[str]) -> None:
        """Load what passed into the raw tables, each batch once."""
        from extract.landing import Batch
        from warehouse.raw import load_all

        context, settings = get_current_context(), load_settings()
        batches = [Batch.at(settings.landing, address) for address in addresses]
        results = load_all(batches, settings, run_id_of(context))
        for result in results:
            log.info(
                "%s.%s: loaded %s (updated %s), quarantined %s, duplicate %s, deleted %s%s",
                result.system,
                result.table,
                result.loaded,
                result.updated,
                result.quarantined,
                result.duplicate,
                result.deleted,
                ", loaded before" if result.skipped else "",
            )
        context["outlet_events"][RAW[system]].extra = {
            "run_id": run_id_of(context),
            "day": day_of(context, settings).isoformat(),
            "rows": sum(result.loaded for result in results),
        }
        reports.of_ingest(context)

    load(validate(extract()))
