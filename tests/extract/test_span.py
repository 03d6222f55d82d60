"""Which changes a run reads: since the watermark, or of its interval again; clocks that go back."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from extract.contract import Contract
from extract.span import Interval, Span, overlaps, span_of
from tests.warehouse.landed import PAYMENTS

NEW_YORK = replace(PAYMENTS, timezone="America/New_York", lookback=timedelta(minutes=10))


def day(year: int, month: int, of: int, zone: str) -> Interval:
    start = datetime(year, month, of, tzinfo=ZoneInfo(zone))
    return Interval(start, start + timedelta(days=1))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_run_reads_since_the_watermark_with_the_lag() -> None:
    contract = replace(PAYMENTS, lookback=timedelta(minutes=10))
    today = day(2026, 1, 31, "Asia/Shanghai")

    assert span_of(contract, None, today) is None
    assert span_of(contract, at("2026-01-30 23:00"), today) == Span(at("2026-01-30 22:50"))


def test_an_interval_that_was_loaded_is_read_again_in_the_zone_of_the_source() -> None:
    contract = replace(PAYMENTS, timezone="Asia/Shanghai", lookback=timedelta(minutes=10))
    # 31 December in Shanghai begins at 16:00 UTC of the day before
    last = day(2025, 12, 31, "Asia/Shanghai")
    in_utc = Interval(last.start.astimezone(ZoneInfo("UTC")), last.end.astimezone(ZoneInfo("UTC")))
    expected = Span(at("2025-12-30 23:50"), at("2026-01-01 00:00"))

    assert span_of(contract, at("2026-01-05 12:00"), last) == expected
    assert span_of(contract, at("2026-01-05 12:00"), in_utc) == expected
    assert span_of(contract, None, replace(in_utc, is_backfill=True)) == expected


@pytest.mark.parametrize("date", [(2026, 3, 8), (2026, 11, 1)])
def test_a_day_of_23_or_25_hours_is_a_whole_day(date: tuple[int, int, int]) -> None:
    start = datetime(*date, tzinfo=ZoneInfo("America/New_York"))
    end = datetime(date[0], date[1], date[2] + 1, tzinfo=ZoneInfo("America/New_York"))
    interval = Interval(start.astimezone(ZoneInfo("UTC")), end.astimezone(ZoneInfo("UTC")), True)
    length = interval.end - interval.start

    span = span_of(NEW_YORK, None, interval)

    assert length in (timedelta(hours=23), timedelta(hours=25))
    assert span is not None
    assert span.before == end.replace(tzinfo=None)
    assert span.after == start.replace(tzinfo=None) - timedelta(minutes=10)


def test_a_watermark_in_an_hour_that_comes_twice_looks_back_over_it() -> None:
    """A row of the second 01:10 comes after a watermark of the first 01:50."""
    for clock, expected in (
        ("2026-11-01 00:55", "2026-11-01 00:45"),
        ("2026-11-01 01:50", "2026-11-01 00:40"),
        ("2026-11-01 02:00", "2026-11-01 01:50"),
        ("2026-03-08 03:05", "2026-03-08 02:55"),
    ):
        assert span_of(NEW_YORK, at(clock), None) == Span(at(expected)), clock


def test_overlaps_are_found_in_every_zone() -> None:
    twice = overlaps("America/New_York", 2026, 2026)
    assert twice == ((at("2026-11-01 01:00"), at("2026-11-01 02:00")),)
    assert overlaps("Australia/Lord_Howe", 2026, 2026) == (
        (at("2026-04-05 01:30"), at("2026-04-05 02:00")),
    )
    assert overlaps("Asia/Shanghai", 2026) == ()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("timestamp", [(">", "2026-01-30 23:50:00"), ("<", "2026-02-01 00:00:00")]),
        ("date", [(">=", "2026-01-30"), ("<=", "2026-01-31")]),
    ],
)
def test_bounds_of_moments_and_of_days(kind: str, expected: list[tuple[str, str]]) -> None:
    columns = tuple(
        replace(column, physical_type=kind) if column.name == PAYMENTS.cursor else column
        for column in PAYMENTS.columns
    )
    contract: Contract = replace(PAYMENTS, columns=columns)

    assert Span(at("2026-01-30 23:50"), at("2026-02-01")).bounds(contract) == expected


def test_the_zone_of_the_process_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def spans() -> list[Span | None]:
        return [
            span_of(NEW_YORK, at("2026-11-01 01:50"), None),
            span_of(NEW_YORK, at("2026-12-01"), day(2026, 11, 1, "America/New_York")),
        ]

    kept = os.environ.get("TZ")
    found = []
    try:
        for zone in ("UTC", "Asia/Shanghai", "America/New_York"):
            os.environ["TZ"] = zone
            time.tzset()
            found.append(spans())
    finally:
        os.environ.pop("TZ") if kept is None else os.environ.__setitem__("TZ", kept)
        time.tzset()
    assert found[0] == found[1] == found[2]
