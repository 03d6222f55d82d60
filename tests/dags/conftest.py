"""Airflow in this process: one home and one database for all tests of the DAGs.

`first_round` is a whole round over small embedded sources, as `make demo` runs it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from dags import environment
from kehu.settings import CLONE, Settings, load

CUSTOMERS = 300
_homes: list[Path] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test that goes on to later rounds comes after those that look at the first."""
    here = [at for at, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    mine = sorted(
        (items[at] for at in here), key=lambda item: item.path.name == "test_end_to_end.py"
    )
    for at, item in zip(here, mine, strict=True):
        items[at] = item


@dataclass(frozen=True)
class Round:
    """A finished round: where, for which day, what the screen showed, the published file."""

    settings: Settings
    day: date
    screen: str
    published: Path


@pytest.fixture(scope="package")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Airflow's environment set and its database made; import Airflow after this only."""
    kept = dict(os.environ)
    # One per process, even when pytest comes back to this folder: Airflow reads it once.
    _homes.append(_homes[0] if _homes else tmp_path_factory.mktemp("dags"))
    os.environ["KEHU_HOME"] = str(_homes[0])
    settings = load()
    environment.prepare(settings)
    from dags.round import migrate

    migrate(settings)
    yield environment.airflow_home(settings)
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(scope="package")
def dags(airflow_home: Path) -> dict[str, Any]:
    """Every DAG of the folder, as Airflow reads it."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(Path(environment.__file__).parent))
    assert bag.import_errors == {}
    return dict(bag.dags)


def demo(*arguments: str, home: Path) -> None:
    """Call `python -m demo` for a home."""
    subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=CLONE,
        env={**os.environ, "KEHU_HOME": str(home), "PYTHONPATH": str(CLONE)},
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="package")
def first_round(airflow_home: Path) -> Round:
    """Embedded sources and one round over them."""
    from dags.__main__ import default_day
    from dags.round import run

    settings = load()
    demo("create", "--customers", str(CUSTOMERS), home=settings.home)
    day = default_day(settings)
    screen = StringIO()
    assert run(settings, day, to=screen), screen.getvalue()
    return Round(settings, day, screen.getvalue(), settings.published_file.resolve())


@pytest.fixture(scope="package")
def canaries(first_round: Round) -> list[str]:
    """The planted values, and those with digits also without their punctuation."""
    path = first_round.settings.demo_sources / "truth" / "canaries.json"
    planted = [value for kind in json.loads(path.read_text(encoding="utf-8")).values()
               for value in kind]  # fmt: skip
    bare = {re.sub(r"[\s+()-]", "", value) for value in planted if re.search(r"\d{6}", value)}
    assert len(planted) >= 15
    return sorted({*planted, *bare})
