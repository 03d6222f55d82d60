"""Reads the power company's billing system: accounts, meters, readings, bills, payments.

Kind: interval. A run stands for one local day; a failed run is cleared, not started anew.
Makes: landed batches, their quarantine, the raw tables `billing__*`, and the asset `raw_billing`.
Who is told: the owner, in the Airflow UI and in `report/failures.jsonl`; readers notice nothing.
"""

from __future__ import annotations

from airflow.sdk import dag

from dags.blocks.defaults import every_day
from dags.blocks.ingest import extract_validate_load


@dag(**every_day(), tags=["ingest", "billing"], doc_md=__doc__)
def ingest_billing() -> None:
    extract_validate_load("billing")


ingest_billing()
