"""What arrives twice, late, in another order, at another time, or changed after the fact."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from extract import landing, run
from extract.span import Interval
from kehu.errors import WarehouseError
from tests.faults import steps
from tests.faults.conftest import Counted, times
from tests.faults.house import BAD, DAY, House, digest
from tests.faults.steps import Given
from warehouse import connection

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(2400)]
SHANGHAI = ZoneInfo("Asia/Shanghai")


def interval(day: date, *, backfill: bool = False) -> Interval:
    start = datetime.combine(day, time(), SHANGHAI)
    return Interval(start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC), backfill)


@pytest.mark.fault(4, "each batch delivered twice, each task run twice")
def test_delivered_twice(house: House, clean: House, counted: Counted) -> None:
    batches = house.extract("run-0")
    for _ in range(2):
        house.gate(batches)
        house.load(batches, "run-0")
    whole = house.state()
    clean.go("run-0")
    assert clean.state() == whole
    published = house.publish("run-0")
    # the task before was cleared as well: the same rows under new addresses
    again = house.extract("run-0")
    house.gate(again)
    results = house.load(again, "run-0") + house.load(batches, "run-0")
    assert sum(result.loaded for result in results[: len(again)]) == 0
    assert house.publish("run-0") == published
    house.check()
    counted("deliveries", 3 * len(batches))


@pytest.mark.fault(5, "a transaction begun before and committed after the read")
def test_committed_late(house: House, clean: House) -> None:
    """Its row is older than the watermark that the read leaves: the look-back finds it."""
    house.go("run-0")
    with closing(psycopg2.connect(house.source.url)) as late, late.cursor() as cursor:
        cursor.execute(
            "insert into billing.payments (payment_no, account_no, amount, currency_code, channel,"
            " paid_at, updated_at) values ('LATE', 'A0001', 7.77, 'CNY', 'app',"
            " '2026-01-31 23:40', '2026-01-31 23:50')"
        )
        house.source.run(
            "update billing.payments set updated_at = '2026-01-31 23:55'"
            " where payment_no = 'P00001'"
        )
        first = house.go("run-1")
        late.commit()
    assert (first["payments"].loaded, first["payments"].landed) == (1, 2)
    second = house.go("run-2")
    assert second["payments"].loaded == 1
    assert second["payments"].duplicate == 1
    clean.go("run-0")
    assert house.state(history=False) == clean.state(history=False)
    house.check()


@pytest.mark.fault(6, "1% of the rows, then most of a table, deleted at the source")
def test_deleted_at_the_source(house: House, clean: House, counted: Counted) -> None:
    house.go("run-0")
    house.source.run("delete from billing.payments where payment_no in ('P00017', 'P00117')")
    assert house.go("run-1")["payments"].deleted == 2
    house.check()
    before = house.state()
    house.source.run("create table kept as select * from billing.payments")
    house.source.run("delete from billing.payments where payment_no > 'P00050'")
    with pytest.raises(WarehouseError, match="gone from the source"):
        house.go("run-2")
    assert house.state() == before
    house.source.run(
        "delete from billing.payments", "insert into billing.payments select * from kept"
    )
    house.go("run-3")
    clean.go("run-0")
    assert house.state(history=False) == clean.state(history=False)
    house.check()
    counted("closed", 2)


def test_of(moment: timedelta) -> type[datetime]:
    """A clock that is wrong by so much."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + moment

    return Wrong


test_of.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.fault(13, "the worker's clock a day ahead, then a day behind; rows of the future")
def test_clocks_are_wrong(
    house: House, clean: House, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    clean.go("run-0")
    shifts = [timedelta(days=1), timedelta(0), timedelta(days=-1), timedelta(0)]
    for number, shift in enumerate(shifts):
        monkeypatch.setattr(run, "datetime", test_of(shift))
        day = DAY if number == 0 else house.source.move(number)
        house.go(f"run-{number}", day)
        house.check()
        monkeypatch.setattr(run, "datetime", datetime)
        if number:
            clean.go(f"run-{number}", day)
        assert house.state() == clean.state(), f"clock wrong by {shift}"
    # the source's own clock: a row of the year 2099 must not hide what comes after it
    house.source.run(
        "update billing.payments set updated_at = '2099-01-01' where payment_no = 'P00003'"
    )
    day = DAY + timedelta(days=len(shifts) - 1)
    house.go("run-f", day)
    with connection.read(house.settings) as con:
        assert con.execute(
            "select watermark < timestamp '2026-03-01' from ops.watermarks"
            " where \"table\" = 'payments'"
        ).fetchone() == (True,)
    day = house.source.move(len(shifts))
    assert house.go("run-g", day)["payments"].loaded == 10
    house.check()
    counted("runs under a wrong clock", 3)


@pytest.mark.fault(14, "the process's zone changed between runs; days of 23 and 25 hours")
def test_zones(house: House, clean: House, tmp_path: Path, counted: Counted) -> None:
    zones = ("America/New_York", "Asia/Shanghai", "UTC", "Pacific/Kiritimati")
    for number, zone in enumerate(zones):
        day = house.source.move(number) if number else DAY
        given = Given(f"run-{number}", day)
        for step in steps.INGEST:
            ended = steps.start(
                step, house.settings, given, tmp_path / "papers", environment={"TZ": zone}
            ).wait()
            assert ended.code == 0, ended.error
            given = Given(given.run_id, day, ended.addresses)
        clean.go(f"run-{number}", day)
        assert house.state() == clean.state(), zone
    house.check()
    counted("zones", len(zones))


@pytest.mark.fault(14, "every row once over a night in which clocks go forward, or back")
@pytest.mark.parametrize("night", [date(2026, 3, 8), date(2026, 11, 1)])
def test_days_of_23_and_25_hours(
    house: House, contracts: Path, tmp_path: Path, night: date
) -> None:
    """A source that writes New York's time, read hour by hour by scheduled intervals."""
    from dataclasses import replace

    folder = tmp_path / "here" / "billing"
    folder.mkdir(parents=True)
    for path in (contracts / "billing").iterdir():
        text = path.read_text().replace("value: Asia/Shanghai", "value: America/New_York")
        (folder / path.name).write_text(text)
    house.settings = replace(house.settings, contract_dirs=(folder.parent,))
    zone = ZoneInfo("America/New_York")
    house.go("run-0")
    start = datetime.combine(night, time(), zone).astimezone(UTC)
    end = datetime.combine(night + timedelta(days=1), time(), zone).astimezone(UTC)
    moments = [start + timedelta(minutes=10 * n) for n in range(int((end - start).seconds / 600))]
    if (end - start).days:
        moments = [start + timedelta(minutes=10 * n) for n in range(150)]
    loaded = 0
    for hour in range(0, len(moments), 6):
        for moment in moments[hour : hour + 6]:
            clock = moment.astimezone(zone).replace(tzinfo=None)
            house.source.run(
                "insert into billing.payments (payment_no, account_no, amount, currency_code,"
                f" channel, paid_at, updated_at) values ('N{moment:%d%H%M}', 'A0001', 1, 'CNY',"
                f" 'app', '{clock}', '{clock}')"
            )
        if hour % 12 == 6:  # every second hour
            loaded += house.go(f"run-{hour}", night)["payments"].loaded
    loaded += house.go("run-last", night)["payments"].loaded
    assert len(moments) == (138 if night.month == 3 else 150)
    assert loaded == len(moments)
    house.check()


@pytest.mark.fault(20, "a backfill of past days around today's run, in any order")
def test_backfill_overlaps_today(
    house: House, clean: House, new_house: Callable[[str], House], counted: Counted
) -> None:
    clean.go("run-0")
    house.go("run-0")
    for number in range(1, 5):
        day = house.source.move(number)
    clean.go("run-4", day)
    whole, seed, orders = clean.state(history=False), random.Random(3), times(10, 2)
    for order in range(orders):
        other = house.copy(house.settings.home.parent / f"order-{order}")
        runs: list[tuple[str, date, Interval | None]] = [
            (f"back-{n}", DAY + timedelta(days=n), interval(DAY + timedelta(days=n), backfill=True))
            for n in range(-1, 5)
        ]
        runs.append(("today", day, None))
        seed.shuffle(runs)
        # read in one order, loaded in another: a backfill and the daily run overlap
        read = [(name, other.extract(name, when, interval=span)) for name, when, span in runs]
        for name, batches in seed.sample(read, len(read)):
            other.gate(batches)
            other.load(batches, name)
        assert other.state(history=False) == whole, f"order {order}"
        other.check()
    counted("orders", orders)


@pytest.mark.fault(21, "days cleared and run again in random order")
def test_cleared_in_any_order(house: House, counted: Counted) -> None:
    """Each clear reads its interval again, as a scheduled run that was cleared does."""
    days = [DAY + timedelta(days=n) for n in range(4)]
    for number, day in enumerate(days):
        if number:
            house.source.move(number)
        house.go(f"run-{number}", day, interval=interval(day))
    whole, published = house.state(history=False), house.publish("run-3")
    seed, rounds, states = random.Random(21), times(50, 4), set()
    for _ in range(rounds):
        for number in seed.sample(range(len(days)), seed.choice((1, 2))):
            house.go(f"run-{number}", days[number], interval=interval(days[number]))
        states.add(digest(house.state(history=False)))
    assert states == {digest(whole)}
    assert house.publish("run-3") == published
    house.check()
    counted("permutations", rounds)
    counted("different states", len(states))


@pytest.mark.fault(38, "id of a deleted account given to somebody else")
def test_a_reused_id(house: House) -> None:
    house.go("run-0")
    house.source.run("delete from billing.accounts where account_no = 'A0007'")
    day = house.source.move(1)
    assert house.go("run-1", day)["accounts"].deleted == 1
    house.source.run(
        "insert into billing.accounts (account_no, holder_name, holder_kind, usage_category,"
        " currency_code, payment_mode, opened_date, updated_at) values ('A0007', 'Somebody Else',"
        f" 'person', 'residential', 'CNY', 'postpaid', '{day}', '{day} 15:00')"
    )
    result = house.go("run-2", day)["accounts"]
    assert result.loaded == 1
    with connection.read(house.settings) as con:
        versions = con.execute(
            "select holder_name, _is_current, _is_deleted from raw.billing__accounts"
            " where account_no = 'A0007' order by updated_at"
        ).fetchall()
    assert [version[1:] for version in versions] == [(False, False), (True, False)]
    assert versions[0][0] != versions[1][0] == "Somebody Else"
    house.check()


@pytest.mark.fault(38, "id taken over without a delete in between; same moment of change")
def test_a_reused_id_at_once(house: House) -> None:
    house.go("run-0")
    house.source.run(
        "update billing.accounts set holder_name = 'Somebody Else', opened_date = '2026-01-31',"
        " updated_at = '2026-01-31 10:00' where account_no = 'A0007'"
    )
    result = house.go("run-1")["accounts"]
    assert (result.loaded, result.updated) == (1, 1)
    house.check()


@pytest.mark.fault(39, "a bill of last year corrected")
def test_last_year_is_corrected(house: House) -> None:
    house.go("run-0")
    before = house.publish("run-0")
    ((number, period),) = house.source.ask(
        "select bill_no, period from billing.bills where period = '2025-03' order by 1 limit 1"
    )
    with connection.read_published(house.settings.published_file) as con:
        months = dict(con.execute("select period, billed from credit.months").fetchall())
    house.source.run(
        "update billing.bills set amount = amount + 100.01, updated_at = '2026-01-31 20:00'"
        f" where bill_no = '{number}'"
    )
    house.go("run-1")
    after = house.publish("run-1")
    assert {name for name in after if after[name] != before[name]} >= {
        "credit.months", "value.accounts",
    }  # fmt: skip
    with connection.read_published(house.settings.published_file) as con:
        found = dict(con.execute("select period, billed from credit.months").fetchall())
    assert {p: found[p] - months[p] for p in found if found[p] != months[p]} == {
        period: found[period] - months[period]
    }
    assert str(found[period] - months[period]) == "100.01"
    with connection.read(house.settings) as con:
        told = con.execute(
            'select "table", added, changed, deleted, deltas from ops.restatements'
        ).fetchall()
    assert len(told) == 1 and told[0][:4] == ("bills", 0, 1, 0) and "100.01" in told[0][4]
    house.check()


@pytest.mark.fault(11, "planted rows that break a rule, and more than the threshold of them")
def test_bad_rows_are_counted(house: House, clean: House) -> None:
    from kehu.errors import ValidationError

    results = house.go("run-0")
    assert {t: r.quarantined for t, r in results.items() if r.quarantined} == BAD
    assert results["bills"].reasons == {"bills:due_not_before_issued": 3}
    house.check()
    before, published = house.state(), house.publish("run-0")
    house.source.run(
        "create table kept as select * from billing.payments",
        "update billing.payments set amount = -1, updated_at = '2026-01-31 18:00'"
        " where payment_no between 'P00001' and 'P00060'",
    )
    with pytest.raises(ValidationError, match=r"billing\.payments"):
        house.go("run-1")
    assert (house.state(), house.published()) == (before, published)
    house.source.run(
        "update billing.payments as p set amount = k.amount, updated_at = k.updated_at"
        " from kept k where k.payment_no = p.payment_no"
    )
    house.go("run-2")
    clean.go("run-0")
    assert house.state(history=False) == clean.state(history=False)
    house.check()
    assert landing.batches(house.settings.landing)
