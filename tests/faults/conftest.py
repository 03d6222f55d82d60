"""Houses, a source that moves, and counts that `make faults` has and `make test` has not.

A test marked `fault(number, what)` belongs to that row of the table in docs/reliability.md; what
it counts it tells with `counted`. `KEHU_FAULTS=all`, as `make faults` sets it, asks for the full
counts.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kehu.settings import CLONE, Settings
from tests.faults.house import TABLES, Erp, House

FULL = os.environ.get("KEHU_FAULTS") == "all"
Counted = Callable[[str, int], None]


def times(full: int, quick: int) -> int:
    """How often: as the specification asks, or as often as a quick run has time for."""
    return full if FULL else quick


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Tell a count to the table of results."""
    return lambda name, number: record_property(f"count:{name}", number)


@pytest.fixture
def source(postgres_database: str) -> Erp:
    erp = Erp(postgres_database)
    erp.create()
    return erp


@pytest.fixture(scope="session")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three contracts of the project."""
    folder = tmp_path_factory.mktemp("contracts")
    (folder / "billing").mkdir()
    for name in TABLES:
        shutil.copy(
            CLONE / "extract" / "contracts" / "billing" / f"{name}.yaml", folder / "billing"
        )
    return folder


@pytest.fixture
def readers() -> int:
    """How many read a source at once, unless a test says it."""
    return 1


@pytest.fixture
def new_house(source: Erp, contracts: Path, tmp_path: Path, readers: int) -> Callable[[str], House]:
    """Make houses on the same source."""

    def make(name: str) -> House:
        settings = Settings(
            home=tmp_path / name,
            contract_dirs=(contracts,),
            source_urls={"billing": source.url},
            reporting_currency="CNY",
            as_of_dates=(),
            hash_key_id="k1",
            memory="1GB",
            readers=readers,
        )
        return House(settings, source)

    return make


@pytest.fixture
def house(new_house: Callable[[str], House]) -> House:
    """The house that a fault meets."""
    return new_house("house")


@pytest.fixture
def clean(new_house: Callable[[str], House]) -> House:
    """A house on the same source that no fault meets."""
    return new_house("clean")
