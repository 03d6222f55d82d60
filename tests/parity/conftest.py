"""Two days of the embedded sources, landed and passed by the gate, built on both engines."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dags.blocks.identity import remember
from demo.lifecycle import advance, create
from expectations.gate import require_passed, validate_all
from extract.contract import read_all
from extract.run import extract_system
from kehu.settings import CLONE, SYSTEMS, Settings, load
from tests.parity.engines import RAW, Duck, Sail, sail
from warehouse import identity_memory, raw
from warehouse.engines import opened

PROJECT = CLONE / "dbt_project"
CUSTOMERS = 200
FIRST_DAY = date(2026, 1, 31)
_LOG = logging.getLogger(__name__)
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


@dataclass(frozen=True)
class Day:
    """One day: the raw tables as they stood, and what each engine made of them."""

    day: date
    raw: Path
    as_of_dates: tuple[str, ...]
    duck: dict[str, pa.Table]
    spark: dict[str, pa.Table] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sail]:
    """Sail for the whole session: its tables are gone when the session ends."""
    with sail(tmp_path_factory.mktemp("sail")) as engine:
        yield engine


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    """Both days on DuckDB: landed, passed, loaded, built; raw tables and results of each kept."""
    home = tmp_path_factory.mktemp("parity")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KEHU_HOME", str(home / "home"))
        settings = load()
        create(settings, customers=CUSTOMERS, seed=7, day=FIRST_DAY)
        raw.create_all(read_all(settings.contract_dirs), settings)
        days = [_ingest(settings, home / "day1", FIRST_DAY)]
        advance(settings, days=1)
        _people_change(settings)
        return [*days, _ingest(settings, home / "day2", FIRST_DAY + timedelta(days=1))]


@pytest.fixture(scope="session")
def days(landed: list[Day], spark: Sail) -> list[Day]:
    """Both days on both engines; the second build meets the tables of the first."""
    for day in landed:
        spark.register(day.raw)
        began = time.perf_counter()
        results = spark.dbt(PROJECT, "build", *NO_TESTS, as_of_dates=day.as_of_dates)
        _LOG.info("spark, %s: %s nodes, %.1f s", day.day, len(results), time.perf_counter() - began)
        day.spark.update({name: spark.table(name) for name in day.duck})
    return landed


def _people_change(settings: Settings) -> None:
    """Some buyers move house, and two turn out to be one: few of the embedded people do so."""
    moment = f"{FIRST_DAY + timedelta(days=1)} 08:00:00"
    with sqlite3.connect(settings.demo_sources / "orders.db") as source:
        known = source.execute(
            "select customer_no from customers where identity_no is not null order by customer_no"
        ).fetchall()
        (first,), (second,), *others = known
        source.execute(
            "update customers set (customer_name, identity_no, updated_at) ="
            " (select customer_name, identity_no, ? from customers where customer_no = ?)"
            " where customer_no = ?",
            [moment, first, second],
        )
        source.executemany(
            "update customers set region = 'moved', updated_at = ? where customer_no = ?",
            [(moment, number) for (number,) in others[:5]],
        )
        # one who gave no number shares a telephone with one person, an e-mail with another
        (first,), (bridge,), (second,) = others[5:8]
        source.executemany(
            "update customers set customer_kind = 'person', customer_name = '欧阳明月', phone = ?,"
            " email = ?, identity_no = case when ? then identity_no end, updated_at = ?"
            " where customer_no = ?",
            [
                ("13912340001", None, True, moment, first),
                ("13912340001", "ouyang@example.com", False, moment, bridge),
                (None, "ouyang@example.com", True, moment, second),
            ],
        )
    source.close()


def _ingest(settings: Settings, folder: Path, day: date) -> Day:
    for system in SYSTEMS:
        batches = extract_system(
            system,
            day=day,
            run_id=folder.name,
            watermarks=raw.watermarks(system, settings),
            settings=settings,
        )
        require_passed(validate_all(batches, settings))
        raw.load_all(batches, settings, folder.name)
    folder.mkdir()
    with duckdb.connect(str(settings.work_file), read_only=True) as connection:
        for (table,) in connection.sql(
            f"select table_name from duckdb_tables() where schema_name = '{RAW}'"
        ).fetchall():
            connection.execute(f"copy {RAW}.{table} to '{folder / table}.parquet'")
    # the newest day and two month ends, of the thirteen days of a real run
    dates = tuple(sorted(raw.as_of_dates(settings))[-3:])
    began = time.perf_counter()
    results = Duck(settings.work_file).dbt(PROJECT, "build", *NO_TESTS, as_of_dates=dates)
    _LOG.info("duckdb, %s: %s nodes, %.1f s", day, len(results), time.perf_counter() - began)
    tables = Duck(settings.work_file).tables()
    with opened(settings) as engine:
        remember(identity_memory.settle(settings, engine, folder.name, day), settings, folder.name)
    return Day(day, folder, dates, tables, keys=_keys(settings))


def _keys(settings: Settings) -> dict[str, list[str]]:
    """Table to the columns that its YAML says are its key."""
    folder = settings.work_file.parent / "target"
    nodes: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())["nodes"]
    keys: dict[str, list[str]] = {}
    for test in nodes.values():
        facts = test.get("test_metadata") or {}
        model = nodes.get(test.get("attached_node") or "")
        if model is None or facts.get("name") not in ("unique", "unique_combination"):
            continue
        arguments = facts["kwargs"]
        columns = arguments.get("columns") or [arguments["column_name"]]
        keys[f"{model['schema']}.{model['name']}"] = columns
    return keys
