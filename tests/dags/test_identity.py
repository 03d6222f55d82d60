"""Lasting ids through a whole round: remembered, held out of bounds, replayed, shown."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dags.blocks.identity import remember
from extract import landing
from kehu.errors import WarehouseError
from kehu.settings import Settings
from tests.dags.conftest import Round
from warehouse import connection, identity_guard, identity_memory, raw, rebuild, volume
from warehouse.__main__ import main
from warehouse.engines import Engine, opened

MEMORY = (
    "select record_key, valid_from, customer_id, match_rule from raw.identity__assignments"
    " order by all"
)


@pytest.fixture
def settings(first_round: Round, tmp_path: Path) -> Settings:
    """The home after a round, to go its own way from here."""
    home = tmp_path / "home"
    for folder in ("landing", "warehouse", "published", "sources"):
        shutil.copytree(first_round.settings.home / folder, home / folder, symlinks=True)
    return replace(first_round.settings, home=home)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with opened(settings) as duck:
        yield duck


def _limit(engine: Engine, measure: str, column: str, value: str) -> None:
    engine.execute(
        f"update identity.identity_limits set {column} = {value}, smallest_sample = 1"
        f" where measure = '{measure}'"
    )


def test_a_round_remembers_every_record(first_round: Round) -> None:
    with connection.read(first_round.settings) as con:
        remembered = con.execute(
            "select count(*), count(distinct record_key), min(valid_from), max(valid_from)"
            " from raw.identity__assignments"
        ).fetchone()
        records = con.execute("select count(*) from identity.int_customer_records").fetchone()
        differing = con.execute(
            "select count(*) from raw.identity__assignments as remembered"
            " inner join identity.int_customer_records as now using (record_key)"
            " where remembered.customer_id <> now.customer_id"
        ).fetchone()
    assert remembered is not None and records is not None
    assert remembered == (*records, *records, first_round.day, first_round.day)
    assert differing == (0,)


def test_a_rebuild_from_landing_has_the_same_memory(settings: Settings) -> None:
    with connection.read(settings) as con:
        before = con.execute(MEMORY).fetchall()
    settings.work_file.unlink()
    rebuild.rebuild(settings)
    with connection.read(settings) as con:
        assert con.execute(MEMORY).fetchall() == before
    assert len(before) > 300


def test_nothing_new_lands_nothing(settings: Settings, engine: Engine) -> None:
    for table in ("assignments", "redirects", "changes"):
        engine.execute(f"delete from identity.int_new_{table}")
    before = landing.batches(settings.landing, "identity")
    assert identity_memory.settle(settings, engine, "again", _day(settings)) == []
    assert landing.batches(settings.landing, "identity") == before


def test_out_of_bounds_waits_until_a_person_confirms(settings: Settings, engine: Engine) -> None:
    _limit(engine, "largest_cluster", "maximum", "1")
    engine.execute(
        "update identity.int_new_assignments set customer_id = md5('another')"
        " where record_key = (select min(record_key) from identity.int_new_assignments)"
    )
    day = _day(settings)
    with pytest.raises(WarehouseError, match=r"largest_cluster is .* at most 1 is allowed") as held:
        identity_memory.settle(settings, engine, "first", day)
    batch_id = landing.batches(settings.landing, "identity", "assignments")[-1].batch_id
    assert f"confirm identity.assignments {batch_id} --reason" in held.value.do

    with pytest.raises(WarehouseError, match="changed too much"):
        identity_memory.settle(settings, engine, "second", day)
    waiting = landing.batches(settings.landing, "identity", "assignments")
    assert waiting[-1].batch_id == batch_id, "the same decisions wait once"

    volume.confirm_batch(settings, "identity.assignments", batch_id, "eva", "seen")
    batches = identity_memory.settle(settings, engine, "third", day)
    assert {batch.batch_id for batch in batches} == {batch_id}
    remember(batches, settings, "third")
    found = engine.fetch(
        "select count(*) from raw.identity__assignments where customer_id = md5('another')"
    )
    assert found == [(1,)]


def test_other_decisions_are_not_confirmed_with_it(settings: Settings, engine: Engine) -> None:
    _limit(engine, "largest_cluster", "maximum", "1")
    day = _day(settings)
    with pytest.raises(WarehouseError):
        identity_memory.settle(settings, engine, "first", day)
    batch_id = landing.batches(settings.landing, "identity", "assignments")[-1].batch_id
    volume.confirm_batch(settings, "identity.assignments", batch_id, "eva", "seen")
    engine.execute("update identity.int_new_assignments set customer_id = md5('another')")
    with pytest.raises(WarehouseError):
        identity_memory.settle(settings, engine, "second", day)
    assert landing.batches(settings.landing, "identity", "assignments")[-1].batch_id != batch_id


def test_precision_and_grades_are_bounded(settings: Settings, engine: Engine) -> None:
    assert identity_guard.breaches(settings, engine) == []
    _limit(engine, "label_precision", "minimum", "1.5")
    _limit(engine, "changed_grade_share", "maximum", "0.1")
    engine.execute("update credit.credit_grades set grade = 'D'")
    said = " ".join(identity_guard.breaches(settings, engine))
    assert "label_precision is " in said
    assert "changed_grade_share is " in said


def test_a_customer_is_shown_masked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEHU_HOME", str(settings.home))
    with connection.read(settings) as con:
        customer_id, name, number, record = con.execute(
            "select customers.customer_id, full_name, identity_no, min(source_system || ':' ||"
            " source_record_id) from core.int_customers as customers"
            " inner join customer.bridge_customer_records using (customer_id)"
            " where record_count > 1 and customer_type = 'person' and identity_no is not null"
            " group by all order by all limit 1"
        ).fetchone()  # type: ignore[misc]
    for asked in (customer_id, record):
        assert main(["show", asked]) == 0
        shown = capsys.readouterr().out
        assert customer_id in shown
        assert "Why they are one customer" in shown
        assert name not in shown
        assert number not in shown
    assert main(["show", "billing:nobody"]) == 1
    assert "No customer is known by that name." in capsys.readouterr().err
    assert main(["show", customer_id, "--restricted"]) == 1
    assert "on a terminal only" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["show", customer_id, "--restricted"]) == 0
    assert number in capsys.readouterr().out


def test_an_old_id_leads_to_the_customer_of_today(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEHU_HOME", str(settings.home))
    old = "0" * 32
    file = settings.published_file.resolve()
    with duckdb.connect(str(file)) as con:
        (customer_id,) = con.execute(
            "select min(customer_id) from customer.dim_customers"
        ).fetchone()
        con.execute(
            "insert into customer.customer_redirects select ?, ?, date '2026-01-31', run_id"
            " from customer.dim_customers limit 1",
            [old, customer_id],
        )
    assert main(["show", old]) == 0
    shown = capsys.readouterr().out
    assert customer_id in shown
    assert f"{old} was merged into it on 2026-01-31" in shown


def _day(settings: Settings) -> date:
    return raw.as_of(settings)
