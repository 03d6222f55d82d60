"""Two days of the embedded sources, landed and passed by the gate, built on both engines."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from multiprocessing import get_context

import pyarrow as pa
import pytest

from demo.lifecycle import advance, create
from kehu.settings import Settings, load
from tests.parity.days import (
    FIRST_DAY,
    NO_TESTS,
    OWN_TESTS,
    build,
    copy_loaded,
    ingest,
    keys,
    people_change,
    tables_of,
)
from tests.parity.engines import Spark
from tests.sail import sail
from warehouse import engines
from warehouse.engines import Address, sessions

CUSTOMERS = 200
NEXT_DAY = FIRST_DAY + timedelta(days=1)
OTHER_TESTS = ("probes", "upserts", "broken")
"""Schemas that other tests make in the same session of the engine."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Day:
    """One day, and what each engine made of it: tables by `<schema>.<table>`."""

    day: date
    duck: dict[str, pa.Table]
    spark: dict[str, pa.Table]
    keys: dict[str, list[str]]


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """Sail for the whole session: its tables are gone when the session ends."""
    folder = tmp_path_factory.mktemp("sail")
    with sail(folder / "server") as url:
        yield Spark(url, folder)
        sessions.close_all()


@pytest.fixture(scope="session")
def days(spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    """Both days as the DAGs build them, on DuckDB and on Sail at the same time; the second build
    meets the tables of the first, and on Sail runs the project's own tests of the data (`make test`
    runs all of them on DuckDB), of which those of keys are looked at in one go here."""
    root = tmp_path_factory.mktemp("parity")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEHU_HOME", str(root / "duckdb"))
        here = load()
        there = replace(here, home=root / "spark", engine="spark", spark_table_format="delta")
        create(here, customers=CUSTOMERS, seed=7, day=FIRST_DAY)
        ingest(here, FIRST_DAY)
        with ProcessPoolExecutor(1, get_context("spawn")) as beside:
            copy_loaded(here, there)
            duck = beside.submit(_built, here, spark.url, NO_TESTS)
            gone_on = beside.submit(_go_on, here)
            tables = _built(there, spark.url, NO_TESTS)
            first = Day(FIRST_DAY, duck.result(), tables, keys(here))
            gone_on.result()
            copy_loaded(here, there)
            duck = beside.submit(_built, here, spark.url, NO_TESTS)
            tables = _built(there, spark.url, OWN_TESTS)
            return [first, Day(NEXT_DAY, duck.result(), tables, keys(here))]


def _built(settings: Settings, url: str, tests: Sequence[str]) -> dict[str, pa.Table]:
    began = time.perf_counter()
    with engines.opened(settings, Address.parse(url)) as engine:
        build(settings, engine, tests)
        _LOG.info("%s: %.1f s", settings.engine, time.perf_counter() - began)
        return tables_of(engine, settings, OTHER_TESTS)


def _go_on(settings: Settings) -> None:
    """The second day of the sources, loaded."""
    advance(settings, days=1)
    people_change(settings)
    ingest(settings, NEXT_DAY)
