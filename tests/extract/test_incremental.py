"""Incremental reading, through the gate into raw: late commits, a refresh of one table."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Any

import pytest

from expectations import gate
from extract.run import extract_system
from kehu.settings import Settings
from tests.extract.conftest import DAY, Source, Workplace, column, key
from warehouse import connection, raw

SLIPS = [key("slip_no"), column("amount", "decimal(18,2)"), column("seen", "timestamp")]
AT = "2026-01-31 10:{:02d}:00"


@pytest.fixture
def source_of(server: Source, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("KEHU_HASH_KEY", "k" * 32)
    moment = "datetime(6)" if server.kind == "mariadb" else "timestamp"
    for table in ("slips", "others"):
        server.run(
            f"CREATE TABLE {table} (slip_no varchar(20) PRIMARY KEY, amount decimal(18,2),"
            f" seen {moment})",
            f"INSERT INTO {table} VALUES ('S1', 1, '{AT.format(1)}')",
        )
    return server


def run(place: Workplace, **more: Any) -> dict[str, raw.LoadResult]:
    """One run as the DAG does it."""
    settings: Settings = place.settings
    marks: dict[str, datetime | None] = dict(raw.watermarks("billing", settings))
    found = extract_system(
        "billing", day=DAY, run_id="r", watermarks=marks, settings=settings, **more
    )
    gate.known_contracts.cache_clear()
    gate.require_passed(gate.validate_all(found, settings))
    return {result.table: result for result in raw.load_all(found, settings, "r")}


def held(place: Workplace, table: str = "slips") -> list[tuple[str, str]]:
    with connection.read(place.settings) as con:
        return con.execute(
            f"select slip_no, amount::varchar from raw.billing__{table}"
            " where _is_current and not _is_deleted order by all"
        ).fetchall()


@pytest.mark.parametrize(("lag", "found"), [("PT10M", True), ("PT0S", False)])
def test_a_row_that_was_committed_late_is_found_by_the_lag(
    source_of: Source, place: Workplace, lag: str, found: bool
) -> None:
    """Its cursor lies before the watermark that a run reached while it was not committed."""
    place.contract("slips", SLIPS, cursor="seen", lookback=lag)
    with closing(source_of.connect()) as open_transaction:
        cursor = open_transaction.cursor()
        cursor.execute(f"INSERT INTO slips VALUES ('S2', 2, '{AT.format(5)}')")
        source_of.run(f"INSERT INTO slips VALUES ('S3', 3, '{AT.format(9)}')")
        assert run(place)["slips"].loaded == 2
        open_transaction.commit()
    result = run(place)["slips"]
    assert held(place) == [
        ("S1", "1.00"),
        *([("S2", "2.00")] if found else []),
        ("S3", "3.00"),
    ]
    # what the lag brings again is no second version
    assert (result.loaded, result.updated) == (int(found), 0)
    assert result.landed == result.loaded + result.duplicate
    assert run(place)["slips"].loaded == 0


def test_a_refresh_of_one_table_reads_it_whole_and_no_other(
    source_of: Source, place: Workplace
) -> None:
    for table in ("slips", "others"):
        place.contract(table, SLIPS, cursor="seen")
    run(place)
    source_of.run(
        f"INSERT INTO slips VALUES ('S2', 2, '{AT.format(30)}')",
        "UPDATE slips SET amount = 7 WHERE slip_no = 'S1'",  # and its cursor stays
        "UPDATE others SET amount = 7 WHERE slip_no = 'S1'",
    )
    assert run(place)["slips"].loaded == 1
    assert held(place) == [("S1", "1.00"), ("S2", "2.00")]

    refreshed = run(place, full=True, table="slips")

    assert list(refreshed) == ["slips"]
    assert (refreshed["slips"].updated, refreshed["slips"].duplicate) == (1, 1)
    assert held(place) == [("S1", "7.00"), ("S2", "2.00")]
    assert held(place, "others") == [("S1", "1.00")]
