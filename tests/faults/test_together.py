"""Two at once: the same task twice, the same interval twice, a deployment between two tasks."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from extract import landing
from kehu.errors import KehuError
from tests.faults import steps
from tests.faults.conftest import Counted, times
from tests.faults.house import DAY, House
from tests.faults.steps import Given, Outcome
from warehouse import connection

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(2400)]


def both(step: str, house: House, one: Given, other: Given, papers: Path) -> list[Outcome]:
    """The step twice at the same time."""
    running = [
        steps.start(step, house.settings, given, papers / str(number))
        for number, given in enumerate((one, other))
    ]
    return [each.wait() for each in running]


def loaded_once(house: House, runs: int) -> None:
    with connection.read(house.settings) as con:
        rows = con.execute(
            "select count(*), sum(loaded) from raw.billing__payments,"
            " (select sum(loaded) as loaded from ops.reconciliation where \"table\" = 'payments')"
            " group by loaded"
        ).fetchone()
        assert (
            con.execute(
                "select batch from ops.ledger group by batch having count(*) > 1"
            ).fetchall()
            == []
        )
    assert rows is not None
    house.check()


@pytest.mark.fault(16, "each task of a run started twice at the same time (zombie and its heir)")
def test_the_same_task_twice(house: House, clean: House, tmp_path: Path, counted: Counted) -> None:
    house.go("run-0")
    clean.go("run-0")
    pairs = times(10, 2)
    for number in range(1, pairs + 1):
        day = house.source.move(number) if number < 9 else DAY + timedelta(days=number)
        given = Given(f"run-{number}", day)
        for step in steps.INGEST:
            ended = both(step, house, given, given, tmp_path / "papers")
            assert any(each.code == 0 for each in ended), [each.error for each in ended]
            for each in ended:
                assert each.code in (0, 1), "neither crashed"
                assert "unexpectedly" not in each.error
            best = next(each for each in ended if each.code == 0)
            given = Given(given.run_id, day, best.addresses)
        clean.go(f"run-{number}", day)
        assert house.state() == clean.state(), number
        loaded_once(house, number)
    counted("pairs", pairs)


@pytest.mark.fault(19, "two runs of the same interval at the same time")
def test_the_same_interval_twice(
    house: House, clean: House, tmp_path: Path, counted: Counted
) -> None:
    house.go("run-0")
    clean.go("run-0")
    twice, chance = times(20, 3), random.Random(19)
    for number in range(1, twice + 1):
        day = house.source.move(number) if number < 9 else DAY + timedelta(days=number)
        if number >= 9:
            house.source.run(
                f"update billing.bills set amount = amount + 1, updated_at = '{day} 09:00'"
                f" where bill_no = 'B{number:05d}'"
            )
        one, other = Given(f"run-{number}-a", day), Given(f"run-{number}-b", day)
        for step in steps.INGEST:
            first = steps.start(step, house.settings, one, tmp_path / "a")
            time.sleep(chance.random() * 0.05)
            second = steps.start(step, house.settings, other, tmp_path / "b")
            ended = [first.wait(), second.wait()]
            assert [each.code for each in ended] == [0, 0], [each.error for each in ended]
            one = replace(one, addresses=ended[0].addresses)
            other = replace(other, addresses=ended[1].addresses)
        clean.go(f"run-{number}", day)
        assert house.state(history=False) == clean.state(history=False), number
        loaded_once(house, number)
        with connection.read(house.settings) as con:
            versions = "select count(*) from raw.billing__bills"
            mine = con.execute(versions).fetchone()
        with connection.read(clean.settings) as con:
            assert con.execute(versions).fetchone() == mine, "loaded twice"
    counted("double runs", twice)


@pytest.mark.fault(36, "a new version of a contract deployed between two tasks of a run")
def test_a_deployment_in_the_middle(
    house: House, clean: House, contracts: Path, tmp_path: Path
) -> None:
    """What was judged by the old contract is not loaded by the new one; the next try is whole."""
    from expectations.gate import known_contracts

    clean.go("run-0")
    mine = tmp_path / "mine"
    shutil.copytree(contracts, mine)
    house.settings = replace(house.settings, contract_dirs=(mine,))
    batches = house.extract("run-0")
    house.gate(batches)
    path = mine / "billing" / "bills.yaml"
    document = yaml.safe_load(path.read_text())
    document["version"] = "1.1.0"
    document["schema"][0]["properties"].append(
        {
            "name": "tariff",
            "description": "Tariff of the bill.",
            "logicalType": "string",
            "physicalType": "varchar",
            "classification": "internal",
        }
    )
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    house.source.run("alter table billing.bills add column tariff varchar")
    with pytest.raises(KehuError, match="does not have the contract's columns: tariff"):
        house.load(batches)
    assert house.state() == {}
    known_contracts.cache_clear()
    house.go("run-1")
    house.check()
    with connection.read(house.settings) as con:
        assert con.execute("select count(*), count(tariff) from raw.billing__bills").fetchone() == (
            180,
            0,
        )
    known_contracts.cache_clear()


@pytest.mark.fault(34, "a source table suddenly empty, then ten times its size, then confirmed")
def test_sizes_out_of_bounds(house: House, clean: House) -> None:
    house.go("run-0")
    readers = house.publish("run-0")
    house.source.run("create table kept as select * from billing.bills")
    house.source.run("delete from billing.bills")
    house.go("run-1")
    with pytest.raises(KehuError, match=r"billing\.bills has 0 rows"):
        house.publish("run-1")
    assert house.published() == readers
    house.source.run("insert into billing.bills select * from kept")
    house.go("run-2")
    assert house.publish("run-2") == readers
    house.source.run(
        "insert into billing.bills (bill_no, account_no, period, issued_date, due_date, amount,"
        " currency_code, updated_at) select 'T' || i, 'A0001', '2026-01', '2026-01-31',"
        " '2026-02-20', 1, 'CNY', '2026-01-31 21:00' from generate_series(1, 2000) as i"
    )
    house.go("run-3")
    with pytest.raises(KehuError, match=r"billing\.bills has 2,183 rows") as held:
        house.publish("run-3")
    assert house.published() == readers
    from warehouse import volume

    batch = max(
        landing.batches(house.settings.landing, "billing", "bills"), key=lambda b: b.batch_id
    )
    assert batch.batch_id in held.value.do
    volume.confirm_batch(house.settings, "billing.bills", batch.batch_id, "ann", "a new branch")
    clean.go("run-0")
    assert house.publish("run-3") == clean.publish("run-0")
    house.check()


Change = Callable[[House], None]


@pytest.mark.fault(7, "column added at the source")
def test_a_column_is_added(house: House, clean: House) -> None:
    house.go("run-0")
    published = house.publish("run-0")
    house.source.run("alter table billing.bills add column discount numeric(18,2) default 1.50")
    results = house.go("run-1")
    assert results["bills"].new_columns == ["discount"]
    report = (house.settings.run_reports / "run-run-1.json").read_text()
    assert '"discount"' in report
    assert house.publish("run-1") == published
    clean.go("run-0")
    assert house.state(history=False) == clean.state(history=False)
    house.check()


@pytest.mark.fault(8, "column removed, column renamed, table dropped at the source")
@pytest.mark.parametrize(
    ("change", "undo", "named"),
    [
        ("alter table billing.bills rename column amount to total",
         "alter table billing.bills rename column total to amount", "column amount"),
        ("alter table billing.bills rename column cost to kost",
         "alter table billing.bills rename column kost to cost", "column cost"),
        ("alter table billing.payments rename to paid",
         "alter table billing.paid rename to payments", "table of billing.payments"),
    ],
)  # fmt: skip
def test_a_column_is_gone(change: str, undo: str, named: str, house: House, clean: House) -> None:
    _stops_until_undone(house, clean, change, undo, named)


@pytest.mark.fault(
    9, "type of a column changed at the source: to text, to more decimals, to a zone"
)
@pytest.mark.parametrize(
    ("change", "undo", "named"),
    [
        ("alter table billing.bills alter column amount type text",
         "alter table billing.bills alter column amount type numeric(18,2) using amount::numeric",
         "column amount"),
        ("alter table billing.bills alter column updated_at type timestamptz",
         "alter table billing.bills alter column updated_at type timestamp", "column updated_at"),
    ],
)  # fmt: skip
def test_a_type_is_changed(change: str, undo: str, named: str, house: House, clean: House) -> None:
    _stops_until_undone(house, clean, change, undo, named)


def _stops_until_undone(house: House, clean: House, change: str, undo: str, named: str) -> None:
    clean.go("run-0")
    house.go("run-0")
    before, readers = house.state(), house.publish("run-0")
    batches = len(landing.batches(house.settings.landing))
    house.source.run(change)
    with pytest.raises(KehuError) as stopped:
        house.go("run-1")
    assert named in stopped.value.what
    assert len(landing.batches(house.settings.landing)) == batches, "something landed"
    assert (house.state(), house.published()) == (before, readers)
    house.source.run(undo)
    house.go("run-2")
    assert house.state(history=False) == clean.state(history=False)
    house.check()


@pytest.mark.fault(9, "two more decimals at the source: what does not fit is quarantined, not cut")
def test_two_more_decimals(house: House) -> None:
    house.go("run-0")
    house.source.run(
        "alter table billing.bills alter column amount type numeric(18,4)",
        "update billing.bills set amount = 1.2345, updated_at = '2026-01-31 20:00'"
        " where bill_no = 'B00001'",
        "update billing.bills set amount = 9.8700, updated_at = '2026-01-31 20:00'"
        " where bill_no = 'B00002'",
    )
    result = house.go("run-1")["bills"]
    assert result.reasons == {"amount:type": 1}
    assert (result.quarantined, result.loaded) == (1, 1)
    house.source.run(
        "update billing.bills set amount = 1.23, updated_at = '2026-01-31 21:00'"
        " where bill_no = 'B00001'"
    )
    house.go("run-2")
    house.check()
