"""Locks, rights and limits of the one place that opens the warehouse."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from kehu.errors import WarehouseError
from kehu.settings import Settings
from tests.dbt_project.building import dbt
from tests.warehouse.landed import PAYMENTS, land, payment, settings_at
from warehouse import connection, raw

HOLD = """
import sys, time
from dataclasses import replace
from pathlib import Path
import duckdb
held = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def held(settings: Settings, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.work_file), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_locked_file_is_waited_for(settings: Settings) -> None:
    raw.create_all([PAYMENTS], settings)
    process = held(settings, 1.0)
    raw.load_batch(land(settings, PAYMENTS, [payment(1)]), PAYMENTS, settings, "run-1")
    assert raw.watermarks("billing", settings)
    assert process.wait(10) == 0


def test_waiting_ends_and_names_the_holder(settings: Settings) -> None:
    raw.create_all([PAYMENTS], settings)
    process = held(settings, 60)
    began = time.monotonic()
    try:
        for opening in (connection.write, connection.read):
            with (
                pytest.raises(WarehouseError, match=f"held by PID {process.pid}") as caught,
                opening(settings, wait_seconds=0.3),
            ):
                pass
            assert str(settings.work_file) in caught.value.where
        assert time.monotonic() - began < 10
    finally:
        process.kill()
        process.wait()


def test_a_file_that_is_no_warehouse_is_named(settings: Settings) -> None:
    settings.work_file.parent.mkdir(parents=True)
    settings.work_file.write_bytes(b"no database" * 1000)
    with pytest.raises(WarehouseError, match="is damaged") as caught:
        raw.create_all([PAYMENTS], settings)
    assert str(settings.work_file) in caught.value.where


def test_everything_is_for_the_owner_only(settings: Settings) -> None:
    raw.load_batch(land(settings, PAYMENTS, [payment(1)]), PAYMENTS, settings, "run-1")
    with connection.write(settings) as con:
        con.execute("create table ops.more as select 1")
        assert (settings.work_file.parent / "kehu-work.duckdb.wal").is_file()
        for path in [settings.work_file.parent, *settings.work_file.parent.rglob("*")]:
            expected = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_times_are_utc(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    raw.create_all([PAYMENTS], settings)
    for opening in (connection.write, connection.read):
        with opening(settings) as con:
            assert con.execute("select current_setting('TimeZone')").fetchone() == ("UTC",)


@pytest.mark.fault(18, "the limit of memory reaches loads and dbt")
def test_loading_and_dbt_keep_to_the_memory_they_are_given(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = replace(settings, memory="900MB")
    raw.create_all([PAYMENTS], limited)
    limit = "select replace(current_setting('memory_limit'), ' ', '')"
    with connection.read(limited) as con:
        assert con.execute(limit).fetchone() == ("858.3MiB",)
    monkeypatch.setenv("KEHU_MEMORY", limited.memory)
    shown = dbt("show", "--inline", f"{limit} as given", settings=limited)
    assert shown.result.results[0].agate_table.rows[0]["given"] == "858.3MiB"


def test_loading_and_dbt_use_the_threads_they_are_given(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = replace(settings, threads=3)
    raw.create_all([PAYMENTS], three)
    threads = "select current_setting('threads')"
    with connection.read(three) as con:
        assert con.execute(threads).fetchone() == (3,)
    monkeypatch.setenv("KEHU_THREADS", "3")
    shown = dbt("show", "--inline", f"{threads} as given", settings=three)
    assert shown.result.results[0].agate_table.rows[0]["given"] == 3


def test_a_reader_changes_nothing(settings: Settings) -> None:
    raw.create_all([PAYMENTS], settings)
    with connection.read(settings) as con, pytest.raises(duckdb.Error, match="read-only"):
        con.execute("delete from ops.ledger")


def test_a_reader_of_a_missing_file_is_told_what_to_do(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="warehouse init"), connection.read(settings):
        pass
    with (
        pytest.raises(WarehouseError, match="no published file"),
        connection.read_published(settings.published_file),
    ):
        pass


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('/etc/passwd')",
        "copy (select 1) to '{folder}/out.csv'",
        "attach '{folder}/other.duckdb'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "install httpfs",
        "create table more as select 1",
    ],
)
def test_a_published_reader_cannot_leave_its_file(tmp_path: Path, statement: str) -> None:
    with duckdb.connect(str(tmp_path / "p.duckdb")) as con:
        con.execute("create table t as select 1 as one")
    with connection.read_published(tmp_path / "p.duckdb") as con:
        assert con.execute("select one from t").fetchone() == (1,)
        with pytest.raises(duckdb.Error):
            con.execute(statement.format(folder=tmp_path))
