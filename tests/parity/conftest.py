"""Two days of the embedded sources, landed and passed by the gate, built on both engines."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pyarrow as pa
import pytest

from demo.lifecycle import advance, create
from kehu.settings import Settings, load
from tests.parity.days import (
    FIRST_DAY,
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
OTHER_TESTS = ("probes", "upserts", "broken")
"""Schemas that other tests make in the same session of the engine."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Day:
    """One day, and what each engine made of it: tables by `<schema>.<table>`."""

    day: date
    duck: dict[str, pa.Table] = field(default_factory=dict)
    spark: dict[str, pa.Table] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """Sail for the whole session: its tables are gone when the session ends."""
    folder = tmp_path_factory.mktemp("sail")
    with sail(folder / "server") as url:
        yield Spark(url, folder)
        sessions.close_all()


@pytest.fixture(scope="session")
def days(spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    """Both days as the DAGs build them, on DuckDB and on Sail; the second build meets the tables of
    the first, and runs all tests of the data."""
    root = tmp_path_factory.mktemp("parity")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEHU_HOME", str(root / "duckdb"))
        here = load()
        there = replace(here, home=root / "spark", engine="spark", spark_table_format="delta")
        create(here, customers=CUSTOMERS, seed=7, day=FIRST_DAY)
        found = [_day(here, there, FIRST_DAY, spark, tests=False)]
        advance(here, days=1)
        people_change(here)
        return [*found, _day(here, there, FIRST_DAY + timedelta(days=1), spark)]


def _day(here: Settings, there: Settings, day: date, spark: Spark, *, tests: bool = True) -> Day:
    ingest(here, day)
    copy_loaded(here, there)
    found = Day(day)
    for settings, tables in ((here, found.duck), (there, found.spark)):
        began = time.perf_counter()
        with engines.opened(settings, Address.parse(spark.url)) as engine:
            build(settings, engine, tests=tests)
            _LOG.info("%s, %s: %.1f s", settings.engine, day, time.perf_counter() - began)
            tables.update(tables_of(engine, settings, OTHER_TESTS))
    found.keys.update(keys(here))
    return found
