"""Reads the trading company's system: customers, orders, shipments, invoices, receipts.

Kind: interval. A run stands for one local day; a failed run is cleared, not started anew.
Makes: landed batches, their quarantine, the raw tables `orders__*`, and the asset `raw_orders`.
Who is told: the owner, in the Airflow UI and in `report/failures.jsonl`; readers notice nothing.
"""

from __future__ import annotations

from airflow.sdk import dag

from dags.blocks.defaults import every_day
from dags.blocks.ingest import extract_validate_load


@dag(**every_day(), tags=["ingest", "orders"], doc_md=__doc__)
def ingest_orders() -> None:
    extract_validate_load("orders")


ingest_orders()
