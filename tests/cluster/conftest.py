"""Two days of the embedded sources on DuckDB, then on each cluster.

The first day is built by dbt alone; the second is a whole round of Airflow with every test of the
data, `python -m dags run` as a person calls it. Between the engines differ KEHU_ENGINE, where Spark
listens, and the format of its tables, nothing else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from demo.lifecycle import advance, create
from kehu.settings import CLONE, Settings, load
from tests.cluster import servers
from tests.cluster.servers import Server
from tests.conftest import KEYS
from tests.parity.days import (
    FIRST_DAY,
    NO_TESTS,
    build,
    copy_loaded,
    ingest,
    keys,
    people_change,
    tables_of,
)
from warehouse import engines, raw
from warehouse.engines import sessions
from warehouse.hashes import table_hashes

CUSTOMERS = 200


@dataclass(frozen=True)
class Days:
    """What two days left on an engine: every table of dbt after each, hashes of what the second
    published, seconds."""

    settings: Settings
    tables: list[dict[str, pa.Table]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    published: dict[str, str] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with the sources of the first day, landed and loaded."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEHU_HOME", str(tmp_path_factory.mktemp("loaded")))
        settings = load()
        create(settings, customers=CUSTOMERS, seed=7, day=FIRST_DAY)
        ingest(settings, FIRST_DAY)
    return settings


@pytest.fixture(scope="session")
def on_duckdb(loaded: Settings, tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Both days on one machine: the reference."""

    def another_day(settings: Settings) -> None:
        advance(loaded, days=1)
        shutil.copytree(loaded.demo_sources, settings.demo_sources)
        people_change(settings)

    return _days(tmp_path_factory.mktemp("duckdb"), loaded, {}, another_day)


@pytest.fixture(scope="module", params=["standalone", "connect"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Spark 3.5 with workers, Thrift and Iceberg; then Spark 4.1 with Connect and Parquet."""
    start: Mapping[str, Callable[[Path], AbstractContextManager[Server]]] = {
        "standalone": servers.standalone,
        "connect": lambda folder: servers.connect(folder, token="right-0123456789"),
    }
    with start[request.param](tmp_path_factory.mktemp(request.param) / "spark") as running:
        yield running


@pytest.fixture(scope="module")
def on_spark(
    server: Server, loaded: Settings, on_duckdb: Days, tmp_path_factory: pytest.TempPathFactory
) -> Days:
    """Both days on a cluster, from the same sources."""

    def another_day(settings: Settings) -> None:
        shutil.copytree(on_duckdb.settings.demo_sources, settings.demo_sources)

    return _days(tmp_path_factory.mktemp("home"), loaded, server.settings, another_day)


def _days(
    home: Path,
    loaded: Settings,
    engine: Mapping[str, str],
    another_day: Callable[[Settings], None],
) -> Days:
    """Build the first day; give the home the sources of the second, then a round of Airflow."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {"KEHU_HOME": str(home), **engine}.items():
            environment.setenv(name, value)
        found = Days(load())
        copy_loaded(loaded, found.settings)
        for number in (0, 1):
            began = time.monotonic()
            if number == 0:
                with engines.opened(found.settings) as opened:
                    build(found.settings, opened, NO_TESTS)
            else:
                another_day(found.settings)
                # a session that lives on would look for the files that the round replaces
                sessions.close_all()
                done = a_round()
                assert done.returncode == 0, done.stdout + done.stderr
            found.seconds.append(time.monotonic() - began)
            with engines.opened(found.settings) as opened:
                found.tables.append(tables_of(opened, found.settings, leave_out={"staging"}))
    found.published.update(table_hashes(found.settings.published_file))
    found.keys.update(keys(found.settings))
    return found


def a_round() -> subprocess.CompletedProcess[str]:
    """One round of every DAG in a process of its own, with the settings of the environment."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEYS or not name.startswith(("AIRFLOW_", "DBT_", "KEHU_WORK", "SPARK_"))
    }
    # the newest days, of the thirteen of a real run
    day = FIRST_DAY + timedelta(days=1)
    dates = sorted({*raw.as_of_dates(load()), str(day)})[-3:]
    return subprocess.run(
        [sys.executable, "-m", "dags", "run", "--day", day.isoformat()],
        cwd=CLONE,
        env=kept | {"KEHU_AS_OF_DATES": " ".join(dates), "PYTHONPATH": str(CLONE)},
        capture_output=True,
        text=True,
    )
