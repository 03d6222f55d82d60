"""The assets that tie the DAGs together. A DAG runs when what it reads has changed."""

from __future__ import annotations

from airflow.sdk import Asset

from kehu.settings import SYSTEMS

RAW = {system: Asset(f"raw_{system}", group="kehu") for system in SYSTEMS}
"""The raw tables of a system hold everything up to a day. Extra: run_id, day, rows."""

MARTS = Asset("marts", group="kehu")
"""The marts are built and tested in the working file. Extra: run_id, as_of."""

PUBLISHED = Asset("published", group="kehu")
"""Readers see a new version. Extra: run_id, version."""
