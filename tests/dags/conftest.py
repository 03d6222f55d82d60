"""Airflow in this process: one home and one database for all tests of the DAGs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dags import environment
from kehu.settings import load


@pytest.fixture(scope="session")
def airflow_home(_environment: Path) -> Iterator[Path]:
    """Airflow's environment set and its database made; import Airflow after this only."""
    settings = load()
    environment.prepare(settings)
    from dags.round import migrate

    migrate(settings)
    yield environment.airflow_home(settings)


@pytest.fixture(scope="session")
def dags(airflow_home: Path) -> dict[str, Any]:
    """Every DAG of the folder, as Airflow reads it."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(Path(environment.__file__).parent))
    assert bag.import_errors == {}
    return dict(bag.dags)
