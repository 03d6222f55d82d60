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
    _add_scheme_of_two_versions(warehouse)
    # the tests of the YAML run as well: laws hold on any facts
    warehouse.build(as_of_dates=AS_OF_DATES)
    return warehouse


def _add_scheme_of_two_versions(warehouse: ScratchWarehouse) -> None:
    """From the second date on it has a class more, so that another one's rank is no longer 2."""
    for version, since in ((1, "1900-01-01"), (2, "2025-12-31")):
        warehouse.write_rows(
            "schemes", f"habit,{version},{since},Habit,习惯,worst,frequency_total,made up"
        )
        warehouse.write_rows(
            "scheme_indicators",
            f"habit,{version},often,all,frequency_total,more_is_better,100,band,,,,,Often,频,x",
        )
        warehouse.write_rows(
            "scheme_bands",
            f"habit,{version},often,,3,1,10,made up",
            f"habit,{version},often,3,6,2,60,made up",
            f"habit,{version},often,6,,3,90,made up",
        )
    classes = {1: ["big,80,,1", "small,,80,2"], 2: ["big,80,,1", "middle,40,80,2", "small,,40,3"]}
    for version, of_version in classes.items():
        for one in of_version:
            warehouse.write_rows("scheme_classes", f"habit,{version},{one},,Class,类,made up")
            warehouse.write_rows(
                "scheme_actions",
                f"habit,{version},{one.split(',')[0]},wave,990,Wave,招手,x,false,made up",
            )
