"""Creating and advancing: one seed, one result; time brings new, changed, late, deleted rows."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from demo import state
from demo.__main__ import main
from demo.lifecycle import _write, advance, create
from demo.setting import lay_out
from demo.world import EVER
from kehu.errors import KehuError, SourceError
from kehu.settings import SYSTEMS, Settings
from tests.demo.conftest import CUSTOMERS, SEED, START, Sources, settings_in


def contents(settings: Settings) -> dict[str, list[str]]:
    """All rows of all tables, sorted."""
    found = {}
    for system in SYSTEMS:
        connection = sqlite3.connect(settings.demo_sources / f"{system}.db")
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
            found[f"{system}.{table}"] = sorted(map(repr, rows))
        connection.close()
    return found


@pytest.fixture
def copied(sources: Sources, tmp_path: Path) -> Settings:
    """The small world in a home that a test may change."""
    home = tmp_path / "home"
    shutil.copytree(sources.settings.home, home)
    settings = settings_in(home)
    file = state.folder(settings) / "state.json"
    document = json.loads(file.read_text())
    document["databases"] = {
        system: f"sqlite:///{settings.demo_sources / system}.db" for system in SYSTEMS
    }
    file.write_text(json.dumps(document))
    return settings


def test_same_seed_same_rows(sources: Sources, tmp_path: Path) -> None:
    again = settings_in(tmp_path)
    create(again, customers=CUSTOMERS, seed=SEED, day=START)
    assert contents(again) == contents(sources.settings)
    for name in ("truth.parquet", "planted.json", "canaries.json"):
        one, other = (state.folder(s) / name for s in (again, sources.settings))
        assert one.read_bytes() == other.read_bytes()


def test_another_seed_other_rows(sources: Sources, tmp_path: Path) -> None:
    other = settings_in(tmp_path)
    create(other, customers=CUSTOMERS, seed=SEED + 1, day=START)
    ours, theirs = contents(sources.settings), contents(other)
    assert ours["billing.accounts"] != theirs["billing.accounts"]
    assert ours["service.callers"] != theirs["service.callers"]


def test_create_again_does_nothing(copied: Settings) -> None:
    before = contents(copied)
    stamps = [(copied.demo_sources / f"{s}.db").stat().st_mtime_ns for s in SYSTEMS]
    report = create(copied, customers=CUSTOMERS, seed=SEED, day=START)
    assert report.skipped
    assert contents(copied) == before
    assert stamps == [(copied.demo_sources / f"{s}.db").stat().st_mtime_ns for s in SYSTEMS]


def test_create_makes_up_for_a_lost_database(copied: Settings) -> None:
    before = contents(copied)
    (copied.demo_sources / "his.db").unlink()
    assert not create(copied, customers=CUSTOMERS, seed=SEED, day=START).skipped
    assert contents(copied) == before


def test_create_keeps_an_advanced_clock(copied: Settings) -> None:
    advance(copied, days=1)
    report = create(copied, customers=CUSTOMERS, seed=SEED, day=START)
    assert report.skipped
    assert report.state.today == START + timedelta(days=1)


def test_other_sources_are_replaced_by_force_only(copied: Settings) -> None:
    with pytest.raises(KehuError, match="--force"):
        create(copied, customers=CUSTOMERS, seed=99, day=START)
    assert not create(copied, customers=100, seed=99, day=START, force=True).skipped


def test_foreign_databases_are_never_touched(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.demo_sources.mkdir(parents=True)
    file = settings.demo_sources / "his.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE patients (name VARCHAR)")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    with pytest.raises(SourceError, match="not made by the demo"):
        create(settings, customers=100, seed=1, day=START, force=True)
    assert file.read_bytes() == before
    assert state.read(settings) is None


def test_days_bring_new_changed_late_and_deleted_rows(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create(settings, customers=1_000, seed=7, day=START)
    before = contents(settings)
    people = pq.read_table(state.folder(settings) / "truth.parquet").num_rows
    seen: Counter[str] = Counter()
    for _ in range(4):
        report = advance(settings, days=2)
        after = contents(settings)
        for table, tally in report.tables.items():
            for kind in ("new", "changed", "late", "deleted"):
                seen[kind] += getattr(tally, kind)
                seen[f"{table} {kind}"] += getattr(tally, kind)
            added = tally.new + tally.planted.total() - tally.deleted
            assert len(after[table]) == len(before[table]) + added, table
        before = after
    assert seen["new"] > 200
    for what in ("changed", "late", "deleted", "billing.bills new", "billing.payments new"):
        assert seen[what] > 0, what
    for what in ("his.visits new", "orders.orders new", "orders.orders changed"):
        assert seen[what] > 0, what
    assert pq.read_table(state.folder(settings) / "truth.parquet").num_rows > people
    for table, rows in before.items():
        if table in report.state.rows:
            planted = sum(report.state.planted.get(table, {}).values())
            assert len(rows) == report.state.rows[table] + planted, table


def test_steps_and_one_stride_lead_to_the_same_day(copied: Settings, tmp_path: Path) -> None:
    for days in (1, 2, 10):
        advance(copied, days=days)
    target = settings_in(tmp_path / "stride")
    world = lay_out(SEED, CUSTOMERS, START, START + timedelta(days=13))
    _write(target, world, EVER, rebuild=True, progress=None)
    assert contents(copied) == contents(target)


def test_a_broken_step_can_be_taken_again(
    copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demo.sqlite import SqliteTarget

    before = contents(copied)
    commit = SqliteTarget.commit

    def fails_at_orders(target: SqliteTarget) -> None:
        if target._system == "orders":
            raise sqlite3.OperationalError("disk I/O error")
        commit(target)

    monkeypatch.setattr(SqliteTarget, "commit", fails_at_orders)
    with pytest.raises(SourceError, match="orders"):
        advance(copied, days=3)
    monkeypatch.undo()
    half = contents(copied)
    assert half["billing.bills"] != before["billing.bills"]
    assert half["orders.products"] == before["orders.products"]
    assert advance(copied, days=3).state.today == START + timedelta(days=3)
    assert contents(copied)["orders.products"] != before["orders.products"]


def test_the_clock_ends_somewhere(copied: Settings) -> None:
    with pytest.raises(KehuError, match="1 to 365 days"):
        advance(copied, days=366)
    with pytest.raises(KehuError, match="1 to 365 days"):
        advance(copied, days=0)


def test_advance_needs_sources(tmp_path: Path) -> None:
    with pytest.raises(KehuError, match="no embedded sources"):
        advance(settings_in(tmp_path), days=1)


def test_advance_refuses_other_databases(copied: Settings, tmp_path: Path) -> None:
    moved = settings_in(copied.home, {"orders": f"sqlite:///{tmp_path}/elsewhere.db"})
    with pytest.raises(KehuError, match="other databases"):
        advance(moved, days=1)


def test_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEHU_HOME", str(tmp_path))
    url = f"sqlite:///{tmp_path}/elsewhere/orders.db"
    options = ["--customers", "60", "--seed", "2", "--url-orders", url]
    assert main(["create", *options]) == 0
    assert (tmp_path / "elsewhere" / "orders.db").exists()
    assert not (tmp_path / "sources" / "orders.db").exists()
    assert "rows in" in capsys.readouterr().out
    assert main(["create", *options]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["advance", "--days", "2", "--url-orders", url]) == 0
    assert "2026-02-02" in capsys.readouterr().out
    assert main(["create", "--customers", "3"]) == 1
    assert "--customers 3" in capsys.readouterr().err


def test_day_can_be_chosen(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create(settings, customers=80, seed=1, day=date(2025, 6, 15))
    latest = max(
        sqlite3.connect(settings.demo_sources / f"{system}.db")
        .execute(f"SELECT max(updated_at) FROM {table}")
        .fetchone()[0]
        for system, table in (("billing", "bills"), ("orders", "orders"), ("his", "visits"))
    )
    assert "2025-06-01" < latest <= "2025-06-15 23:59:59"
