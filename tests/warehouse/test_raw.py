"""What raw tables hold after loads: versions, duplicates, deletes, ledger and watermarks."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from extract.contract import Contract
from extract.contract_policy import DeletedWhen
from extract.landing import Batch
from kehu.errors import WarehouseError
from kehu.settings import Settings
from tests.warehouse import landed
from tests.warehouse.landed import ACCOUNTS, PAYMENTS, at, land, payment, settings_at
from warehouse import connection, raw, volume

SNAPSHOT = replace(PAYMENTS, cursor=None, deletes="snapshot")
SHUFFLED = replace(PAYMENTS, max_delete_share=1.0)
ONLY_ADDED = replace(PAYMENTS, deletes="none")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_at(tmp_path / "home")


def rows_of(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with connection.read(settings) as con:
        return con.execute(sql).fetchall()


def state(settings: Settings, where: str = "true") -> list[tuple[Any, ...]]:
    """Everything that must not depend on the order of loads."""
    return rows_of(
        settings,
        "select payment_no, amount, updated_at, _row_hash, _is_current, _is_deleted"
        f" from raw.billing__payments where {where} order by all",
    )


def load(settings: Settings, batch: Batch, contract: Contract = PAYMENTS) -> raw.LoadResult:
    result = raw.load_batch(batch, contract, settings, "run-1")
    assert result.source == result.landed
    assert result.landed == result.loaded + result.quarantined + result.duplicate
    return result


def test_first_load(settings: Settings) -> None:
    rows = [payment(n) for n in range(20)]
    result = load(settings, land(settings, PAYMENTS, rows, quarantined=[payment(99)]))
    assert (result.loaded, result.quarantined, result.duplicate, result.updated) == (20, 1, 0, 0)
    assert result.reasons == {"test:rule": 1}
    assert rows_of(
        settings,
        "select count(*), sum(amount), bool_and(_is_current), bool_or(_is_deleted),"
        " count(distinct _row_hash), min(_day), count(_loaded_at) from raw.billing__payments",
    ) == [(20, 200, True, False, 20, date(2026, 1, 31), 20)]


def test_derived_columns_and_exact_values_arrive(settings: Settings) -> None:
    row = {
        "account_no": "A1",
        "holder_name": "O'Neill; 王小明 “quoted”",
        "holder_kind": "person",
        "phone": "13800000000",
        "contracted_capacity_kva": landed.Decimal("9999999999999999.99"),
        "updated_at": at(24 * 60 - 1 / 6e7),
    }
    load(settings, land(settings, ACCOUNTS, [row]), ACCOUNTS)
    assert rows_of(
        settings,
        "select holder_name, phone_norm, phone_hash, email_norm, contracted_capacity_kva,"
        " updated_at from raw.billing__accounts",
    ) == [
        (
            row["holder_name"],
            "phone_norm:13800000000",
            "phone_hash:13800000000",
            None,
            row["contracted_capacity_kva"],
            row["updated_at"],
        )
    ]


def test_second_load_of_a_batch_changes_nothing(settings: Settings) -> None:
    batch = land(settings, PAYMENTS, [payment(n) for n in range(5)])
    first = load(settings, batch)
    before = settings.work_file.stat().st_mtime_ns, state(settings)
    second = load(settings, batch)
    assert second.skipped and not first.skipped
    assert replace(second, skipped=False) == first
    assert (settings.work_file.stat().st_mtime_ns, state(settings)) == before
    assert rows_of(settings, "select count(*) from ops.ledger") == [(1,)]
    assert rows_of(settings, "select count(*) from ops.reconciliation") == [(1,)]


def test_overlapping_lookback_counts_duplicates(settings: Settings) -> None:
    rows = [payment(n, minute=n) for n in range(10)]
    load(settings, land(settings, PAYMENTS, rows))
    more = [payment(n, minute=n) for n in range(5, 15)]
    result = load(settings, land(settings, PAYMENTS, more, keys=rows + more[5:]))
    assert (result.loaded, result.duplicate, result.updated) == (5, 5, 0)
    assert len(state(settings)) == 15


def test_repeated_rows_inside_a_batch_are_duplicates(settings: Settings) -> None:
    rows = [payment(1), payment(1), payment(2), payment(1)]
    result = load(settings, land(settings, PAYMENTS, rows, keys=[payment(1), payment(2)]))
    assert (result.loaded, result.duplicate) == (2, 2)


def test_new_versions_replace_and_history_stays(settings: Settings) -> None:
    load(settings, land(settings, PAYMENTS, [payment(1, "10.00"), payment(2)]))
    changed = [payment(1, "12.50", minute=5), payment(3, minute=6)]
    result = load(settings, land(settings, PAYMENTS, changed, keys=[payment(n) for n in (1, 2, 3)]))
    assert (result.loaded, result.updated, result.duplicate) == (2, 1, 0)
    current = state(settings, "_is_current")
    assert [(row[0], str(row[1])) for row in current] == [
        ("P000001", "12.50"),
        ("P000002", "10.00"),
        ("P000003", "10.00"),
    ]
    assert [(row[0], str(row[1])) for row in state(settings, "not _is_current")] == [
        ("P000001", "10.00")
    ]


def test_a_late_older_version_is_history(settings: Settings) -> None:
    old = land(settings, PAYMENTS, [payment(1, "10.00", minute=1)])
    new = land(settings, PAYMENTS, [payment(1, "11.00", minute=2)])
    load(settings, new)
    result = load(settings, old)
    assert (result.loaded, result.updated) == (1, 1)
    assert [(str(row[1]), row[4]) for row in state(settings)] == [("10.00", False), ("11.00", True)]


def test_several_versions_in_one_batch(settings: Settings) -> None:
    rows = [payment(1, "10.00", 1), payment(1, "11.00", 3), payment(1, "12.00", 2)]
    result = load(settings, land(settings, PAYMENTS, rows, keys=[payment(1)]))
    assert result.loaded == 3
    assert [str(row[1]) for row in state(settings, "_is_current")] == ["11.00"]


def test_equal_cursors_are_decided_by_the_later_batch(settings: Settings, tmp_path: Path) -> None:
    batches = [land(settings, PAYMENTS, [payment(1, amount)]) for amount in ("10.00", "11.00")]
    for order in (batches, batches[::-1]):
        home = replace(settings, home=tmp_path / f"again-{order is batches}")
        for batch in order:
            load(home, batch)
        assert [str(row[1]) for row in state(home, "_is_current")] == ["11.00"]


def test_a_source_that_returns_to_an_old_content(settings: Settings) -> None:
    for amount in ("10.00", "11.00", "10.00"):
        result = load(settings, land(settings, SNAPSHOT, [payment(1, amount)]), SNAPSHOT)
        assert (result.loaded, result.duplicate) == (1, 0)
    assert [str(row[1]) for row in state(settings, "_is_current")] == ["10.00"]
    assert len(state(settings)) == 3


@pytest.mark.fault(5, "batches loaded in 20 orders")
def test_the_order_of_batches_does_not_matter(settings: Settings, tmp_path: Path) -> None:
    """Lookback overlaps, changes, a correction without a new cursor, deletes, a return."""
    batches, seed = [], random.Random(7)
    source = {n: payment(n, minute=0) for n in range(40)}
    for step in range(1, 6):
        for n in seed.sample(sorted(source), 6):
            source[n] = payment(n, f"{step}{n}.00", minute=step * 10)
        source[100 + step] = payment(100 + step, minute=step * 10)
        source.pop(seed.choice(sorted(source)))
        if step == 4:
            source[101] = payment(101, "1.01", minute=40)
        cursor = at(10 * max(step - 2, 0))
        read = [row for row in source.values() if step == 1 or row["updated_at"] > cursor]
        batches.append(land(settings, PAYMENTS, read, keys=list(source.values())))
    states = []
    for shuffle in range(20):
        home = replace(settings, home=tmp_path / f"order-{shuffle}")
        order = batches if shuffle == 0 else seed.sample(batches, len(batches))
        raw.load_all(order, home, "run-1", [SHUFFLED])
        states.append(state(home))
        assert raw.watermarks("billing", home) == {"payments": at(50)}
    assert any(row[5] for row in states[0]) and any(not row[4] for row in states[0])
    assert all(other == states[0] for other in states[1:])
    live = {row[0]: row[1] for row in states[0] if row[4] and not row[5]}
    assert live == {row["payment_no"]: row["amount"] for row in source.values()}


def test_the_order_of_snapshots_does_not_matter_for_what_is_current(
    settings: Settings, tmp_path: Path
) -> None:
    batches, seed, source = [], random.Random(8), {n: payment(n) for n in range(30)}
    for step in range(5):
        for n in seed.sample(sorted(source), 5):
            source[n] = payment(n, f"{seed.choice((1, 2))}.00")
        source.pop(seed.choice(sorted(source)))
        source[100 + step] = payment(100 + step)
        batches.append(land(settings, SNAPSHOT, source.values()))
    states = set()
    for shuffle in range(8):
        home = replace(settings, home=tmp_path / f"order-{shuffle}")
        order = seed.sample(batches, len(batches))
        raw.load_all(order, home, "run-1", [replace(SNAPSHOT, max_delete_share=1.0)])
        states.add(tuple(state(home, "_is_current and not _is_deleted")))
        assert rows_of(
            home,
            "select max(n) from (select count(*) as n from raw.billing__payments"
            " where _is_current group by payment_no)",
        ) == [(1,)]
    assert len(states) == 1
    assert len(states.pop()) == len(source)


@pytest.mark.parametrize("contract", [PAYMENTS, SNAPSHOT], ids=["key_compare", "snapshot"])
@pytest.mark.fault(6, "keys gone and back, by key list and by snapshot")
def test_deleted_keys_are_closed_and_may_come_back(settings: Settings, contract: Contract) -> None:
    rows = [payment(n) for n in range(10)]
    load(settings, land(settings, contract, rows), contract)
    given = rows[1:] if contract is SNAPSHOT else []
    result = load(settings, land(settings, contract, given, keys=rows[1:]), contract)
    assert (result.deleted, result.loaded) == (1, 0)
    assert [row[0] for row in state(settings, "_is_deleted")] == ["P000000"]
    result = load(settings, land(settings, contract, rows), contract)
    assert (result.deleted, result.loaded, result.duplicate) == (0, 0, 10)
    assert state(settings, "_is_deleted or not _is_current") == []


def test_a_quarantined_row_is_not_deleted(settings: Settings) -> None:
    rows = [payment(n) for n in range(10)]
    load(settings, land(settings, SNAPSHOT, rows), SNAPSHOT)
    result = load(settings, land(settings, SNAPSHOT, rows[1:], quarantined=rows[:1]), SNAPSHOT)
    assert result.deleted == 0


def test_a_table_without_delete_detection_keeps_its_rows(settings: Settings) -> None:
    load(settings, land(settings, ONLY_ADDED, [payment(n) for n in range(5)]), ONLY_ADDED)
    assert load(settings, land(settings, ONLY_ADDED, []), ONLY_ADDED).deleted == 0
    assert state(settings, "_is_deleted") == []


@pytest.mark.parametrize("contract", [PAYMENTS, SNAPSHOT], ids=["key_compare", "snapshot"])
@pytest.mark.fault(6, "most keys gone at once")
def test_a_mass_delete_stops_and_loads_nothing(settings: Settings, contract: Contract) -> None:
    rows = [payment(n) for n in range(10)]
    load(settings, land(settings, contract, rows), contract)
    before = state(settings)
    given = [*rows[3:], payment(50, minute=9)]
    with pytest.raises(WarehouseError, match=r"3 of 10 rows are gone.*20%"):
        load(settings, land(settings, contract, given, keys=given), contract)
    assert state(settings) == before
    assert rows_of(settings, "select count(*) from ops.ledger") == [(1,)]
    generous = replace(contract, max_delete_share=0.3)
    assert load(settings, land(settings, generous, given, keys=given), generous).deleted == 3


def test_watermark_is_of_the_data_and_never_goes_back(settings: Settings) -> None:
    assert raw.watermarks("billing", settings) == {}
    load(settings, land(settings, ONLY_ADDED, [payment(1, minute=30)]), ONLY_ADDED)
    assert raw.watermarks("billing", settings) == {"payments": at(30)}
    load(settings, land(settings, ONLY_ADDED, [payment(2, minute=10)]), ONLY_ADDED)
    load(settings, land(settings, ONLY_ADDED, []), ONLY_ADDED)
    assert raw.watermarks("billing", settings) == {"payments": at(30)}
    assert raw.watermarks("his", settings) == {}


def test_a_future_row_moves_the_watermark_to_the_end_of_the_day(settings: Settings) -> None:
    load(settings, land(settings, PAYMENTS, [payment(1), payment(2, minute=10**6)]))
    end = datetime.combine(landed.FIRST_DAY, time.max)
    assert raw.watermarks("billing", settings) == {"payments": end}


def part(settings: Settings, number: int, since: int | None, minute: int) -> Batch:
    """A batch that read what changed after `since`, with one row of `minute`."""
    cursor_from = None if since is None else at(since).isoformat()
    row = payment(number, minute=minute)
    return land(settings, ONLY_ADDED, [row], manifest={"cursor_from": cursor_from})


def test_a_batch_that_lies_apart_does_not_move_the_watermark(
    settings: Settings, tmp_path: Path
) -> None:
    """A backfilled day is loaded, but what lies before it was not read yet."""
    apart = part(settings, 1, 100, 120)
    load(settings, apart, ONLY_ADDED)
    assert raw.watermarks("billing", settings) == {}
    load(settings, part(settings, 2, None, 90), ONLY_ADDED)
    assert raw.watermarks("billing", settings) == {"payments": at(90)}
    load(settings, part(settings, 3, 80, 105), ONLY_ADDED)
    assert raw.watermarks("billing", settings) == {"payments": at(120)}
    assert len(state(settings)) == 3


def test_the_watermark_does_not_depend_on_the_order_of_batches(
    settings: Settings, tmp_path: Path
) -> None:
    spans = [(None, 10), (5, 20), (15, 40), (35, 50), (70, 90), (45, 60)]
    batches = [part(settings, n, since, until) for n, (since, until) in enumerate(spans)]
    for shuffle in range(5):
        home = replace(settings, home=tmp_path / f"order-{shuffle}")
        for batch in random.Random(shuffle).sample(batches, len(batches)):
            raw.load_batch(batch, ONLY_ADDED, home, "run-1")
        assert raw.watermarks("billing", home) == {"payments": at(60)}


def test_in_an_hour_that_comes_twice_the_later_batch_is_newer(
    settings: Settings, tmp_path: Path
) -> None:
    """On 1 November 2026 New York's clocks show 01:00 to 02:00 twice."""
    contract = replace(ONLY_ADDED, timezone="America/New_York")
    night = datetime.fromisoformat("2026-11-01T00:00")
    day = date(2026, 11, 1)
    first = payment(1, "10.00") | {"updated_at": night + timedelta(hours=1, minutes=50)}
    later = payment(1, "12.00") | {"updated_at": night + timedelta(hours=1, minutes=10)}
    batches = [land(settings, contract, [row], day=day) for row in (first, later)]
    for order in (batches, batches[::-1]):
        home = replace(settings, home=tmp_path / f"again-{order is batches}")
        for batch in order:
            raw.load_batch(batch, contract, home, "run-1")
        assert [str(row[1]) for row in state(home, "_is_current")] == ["12.00"]
        assert len(state(home)) == 2


FLAGGED = replace(ONLY_ADDED, deletes="flag", deleted_when=DeletedWhen("channel", ("gone", "void")))


def test_rows_that_the_source_marks_as_deleted_are_closed_and_may_come_back(
    settings: Settings,
) -> None:
    load(settings, land(settings, FLAGGED, [payment(n) for n in range(10)]), FLAGGED)
    marked = [payment(0, minute=5, channel="gone"), payment(50, minute=5, channel="void")]
    result = load(settings, land(settings, FLAGGED, marked), FLAGGED)
    assert (result.deleted, result.loaded, result.updated) == (1, 2, 1)
    assert [row[0] for row in state(settings, "_is_deleted")] == ["P000000", "P000050"]
    load(settings, land(settings, FLAGGED, [payment(0, minute=9)]), FLAGGED)
    assert [row[0] for row in state(settings, "_is_deleted")] == ["P000050"]
    late = land(settings, FLAGGED, [payment(0, minute=7, channel="gone")])
    assert load(settings, late, FLAGGED).deleted == 0
    assert [row[0] for row in state(settings, "_is_deleted")] == ["P000050"]


def test_a_mass_of_marks_stops_until_a_person_confirms_the_batch(settings: Settings) -> None:
    load(settings, land(settings, FLAGGED, [payment(n) for n in range(10)]), FLAGGED)
    batch = land(settings, FLAGGED, [payment(n, minute=5, channel="gone") for n in range(3)])
    with pytest.raises(WarehouseError, match=r"3 of 10 rows are gone") as stopped:
        load(settings, batch, FLAGGED)
    assert f"confirm billing.payments {batch.batch_id}" in stopped.value.do
    assert state(settings, "_is_deleted") == []
    volume.confirm_batch(settings, "billing.payments", batch.batch_id, "ann", "closed branch")
    assert load(settings, batch, FLAGGED).deleted == 3
    assert rows_of(settings, "select confirmed_by, reason from ops.confirmations") == [
        ("ann", "closed branch")
    ]


def test_a_quarantined_row_does_not_move_the_watermark(settings: Settings) -> None:
    batch = land(settings, PAYMENTS, [payment(1)], quarantined=[payment(2, minute=10**6)])
    load(settings, batch)
    assert raw.watermarks("billing", settings) == {"payments": at(0)}


def test_batches_of_one_call_are_loaded_together_or_not(settings: Settings) -> None:
    accounts = {"account_no": "A1", "updated_at": at(0)}
    load(
        settings,
        land(settings, ACCOUNTS, [{**accounts, "account_no": f"A{n}"} for n in range(9)]),
        ACCOUNTS,
    )
    good = land(settings, PAYMENTS, [payment(1)])
    gone = land(settings, ACCOUNTS, [accounts], keys=[accounts])
    with pytest.raises(WarehouseError, match="8 of 9 rows are gone"):
        raw.load_all([good, gone], settings, "run-2", [PAYMENTS, ACCOUNTS])
    assert state(settings) == []
    assert raw.watermarks("billing", settings) == {"accounts": at(0)}


def test_as_of_is_the_newest_day_and_brings_twelve_month_ends(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="does not exist yet"):
        raw.as_of(settings)
    raw.create_all([PAYMENTS], settings)
    with pytest.raises(WarehouseError, match="Nothing is loaded yet"):
        raw.as_of(settings)
    load(settings, land(settings, PAYMENTS, [payment(1)], day=date(2026, 2, 3)))
    load(settings, land(settings, PAYMENTS, [payment(1)], day=date(2026, 1, 31)))
    assert raw.as_of(settings) == date(2026, 2, 3)
    dates = raw.as_of_dates(settings)
    assert (dates[0], dates[1], dates[-2:]) == (
        "2025-02-28",
        "2025-03-31",
        ["2026-01-31", "2026-02-03"],
    )
    assert len(dates) == 13
    chosen = replace(settings, as_of_dates=("2013-06-30", "2011-12-10"))
    assert raw.as_of_dates(chosen) == ["2011-12-10", "2013-06-30"]
    with pytest.raises(WarehouseError, match="no date"):
        raw.as_of_dates(replace(settings, as_of_dates=("2011-13-10",)))


def test_a_replay_loads_rows_but_moves_nothing_else(settings: Settings) -> None:
    """Rows that were quarantined come again in a batch that lists no keys."""
    rows = [payment(n) for n in range(10)]
    origin = land(settings, PAYMENTS, rows[:9], quarantined=[payment(9, minute=30)])
    load(settings, origin)
    load(settings, land(settings, PAYMENTS, [], keys=rows[:9]))
    told = {"replay_of": str(origin.address), "snapshot": False, "source_keys": None}
    replay = land(
        settings,
        replace(PAYMENTS, deletes="none"),
        [payment(9, minute=30), payment(1, "5.00", minute=40)],
        manifest=told,
    )
    result = load(settings, replay)
    assert (result.loaded, result.updated, result.deleted) == (2, 1, 1)
    # the source no longer had row 9 when its keys were read last
    assert [row[0] for row in state(settings, "_is_deleted")] == ["P000009"]
    assert raw.watermarks("billing", settings) == {"payments": at(0)}
    late = land(settings, PAYMENTS, [payment(9, minute=30)], keys=[*rows[:9], payment(9)])
    assert load(settings, late).duplicate == 1
    assert state(settings, "_is_deleted") == []
