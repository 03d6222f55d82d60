"""One build of metrics, schemes and marts on made-up facts, shared by the tests that read it."""

from __future__ import annotations

import pytest

from tests.dbt_project import made_up_facts
from tests.dbt_project.scratch_warehouse import ScratchWarehouse

LAYERS = ("metrics", "schemes", "statistics", "value", "credit", "sales", "serving")
AS_OF_DATES = ("2025-06-30", "2025-12-31", "2026-01-31")


@pytest.fixture(scope="session")
def marts(tmp_path_factory: pytest.TempPathFactory) -> ScratchWarehouse:
    """The marts of the made-up customers on three as-of dates."""
    folder = tmp_path_factory.mktemp("marts")
    warehouse = ScratchWarehouse.make(folder, LAYERS, made_up_facts.stand_ins())
    warehouse.execute(*made_up_facts.statements(made_up_facts.draw()))
    # the tests of the YAML run as well: laws hold on any facts
    warehouse.build(as_of_dates=AS_OF_DATES)
    return warehouse
