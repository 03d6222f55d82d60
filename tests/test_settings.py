"""The settings of the engine: known values only, and folders that both sides see."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kehu.errors import SettingsError
from kehu.settings import CLONE, load


def test_duckdb_is_the_engine_unless_another_is_asked_for() -> None:
    assert load({}).engine == "duckdb"
    assert load({"KEHU_ENGINE": "spark"}).engine == "spark"


@pytest.mark.parametrize(
    ("name", "known"),
    [("KEHU_ENGINE", "duckdb, spark"), ("KEHU_SPARK_TABLE_FORMAT", "iceberg, delta, parquet")],
)
def test_an_unknown_value_is_refused_by_name(name: str, known: str) -> None:
    with pytest.raises(SettingsError, match="'flink' is no value") as raised:
        load({name: "flink"})
    assert name in raised.value.where
    assert known in raised.value.do


def test_the_lake_lies_in_the_home_unless_it_is_said_where() -> None:
    assert load({"KEHU_HOME": "/srv/kehu"}).lake == Path("/srv/kehu/lake")
    assert load({"KEHU_HOME": "/srv/kehu"}).lake_url == "/srv/kehu/lake"
    told = load({"KEHU_SPARK_STORAGE": "lake", "KEHU_SPARK_STORAGE_URL": "s3a://bucket/kehu/"})
    assert told.lake == CLONE / "lake"
    assert told.lake_url == "s3a://bucket/kehu"


def test_spark_without_an_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEHU_SPARK_URL", raising=False)
    with pytest.raises(SettingsError, match="nothing says where it listens"):
        load({}).spark_url()


def test_memory_is_half_of_what_there_is_unless_it_is_said() -> None:
    assert load({"KEHU_MEMORY": "900MB"}).memory == "900MB"
    assert int(load({}).memory.removesuffix("MB")) >= 500
    with pytest.raises(SettingsError, match="'half' is no amount of memory") as raised:
        load({"KEHU_MEMORY": "half"})
    assert "KEHU_MEMORY" in raised.value.where


def test_a_query_may_use_what_the_machine_gives_unless_it_is_said() -> None:
    assert load({"KEHU_THREADS": "3"}).threads == 3
    assert 1 <= load({}).threads <= (os.cpu_count() or 1)
    with pytest.raises(SettingsError, match="'all' is no number of threads") as raised:
        load({"KEHU_THREADS": "all"})
    assert "KEHU_THREADS" in raised.value.where


def test_one_reads_a_source_unless_more_are_asked_for() -> None:
    assert load({}).readers == 1
    assert load({"KEHU_READERS": "16"}).readers == 16


@pytest.mark.parametrize("told", ["0", "-1", "17", "two", "1.5", " 2"])
def test_what_is_no_number_of_readers_is_refused(told: str) -> None:
    with pytest.raises(SettingsError, match="is no number of readers") as raised:
        load({"KEHU_READERS": told})
    assert "KEHU_READERS" in raised.value.where
    assert "from 1 to 16" in raised.value.do
