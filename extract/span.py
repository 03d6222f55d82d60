"""Spans of time: the local days that a run stands for, and the changes that are read for them.

In: moments with a zone, watermarks and contracts. Out: `Interval`, `Span`. Touches nothing.

Bounds are compared with cursors, which are in the source's local time; so an interval is carried
into the zone that the contract declares. The clock of the worker is never asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from extract.contract import Contract

_TICK = timedelta(microseconds=1)
_NONE = timedelta(0)


@dataclass(frozen=True)
class Span:
    """Rows whose cursor lies after `after` and before `before`, both in the source's local time.

    Neither is part of the span. `before` None: up to what the source holds now.
    """

    after: datetime
    before: datetime | None = None

    def bounds(self, contract: Contract) -> list[tuple[str, str]]:
        """Comparisons of the cursor with a value, as SQL operator and text; all must hold."""
        is_day = bool(contract.cursor) and (
            contract.column(str(contract.cursor)).physical_type == "date"
        )
        if is_day:
            # a day is read whole when the span touches it
            found = [(">=", self.after.date().isoformat())]
            if self.before is not None:
                found.append(("<=", (self.before - _TICK).date().isoformat()))
            return found
        found = [(">", self.after.isoformat(sep=" "))]
        if self.before is not None:
            found.append(("<", self.before.isoformat(sep=" ")))
        return found


@dataclass(frozen=True)
class Interval:
    """The time a run stands for, start included, end not; both with a zone.

    `is_backfill`: read exactly this, whatever was loaded before.
    """

    start: datetime
    end: datetime
    is_backfill: bool = False


def span_of(
    contract: Contract, watermark: datetime | None, interval: Interval | None
) -> Span | None:
    """What to read of a table; None: all of it.

    A run reads what changed since the watermark. A run whose interval was loaded before (one that
    was cleared), or that is part of a backfill, reads its interval again. Both look back by the
    contract's lag, for rows that were committed late.
    """
    lag = max(contract.lookback, _TICK)
    if interval is not None:
        start, end = (
            _local(moment, contract.timezone) for moment in (interval.start, interval.end)
        )
        if interval.is_backfill or (watermark is not None and end <= watermark):
            return Span(start - lag, end)
    if watermark is None:
        return None
    return Span(watermark - contract.lookback - _repeated(watermark, contract.timezone))


def _local(moment: datetime, zone: str) -> datetime:
    """The wall clock of `zone` at a moment."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _repeated(clock: datetime, zone: str) -> timedelta:
    """How far clocks will be, or were, set back that show this time twice; else nothing.

    Rows that follow may bear an earlier time than the watermark.
    """
    local = clock.replace(tzinfo=ZoneInfo(zone))
    first, second = local.utcoffset(), local.replace(fold=1).utcoffset()
    return max((first or _NONE) - (second or _NONE), _NONE)


@cache
def overlaps(
    zone: str, last_year: int, first_year: int = 2000
) -> tuple[tuple[datetime, datetime], ...]:
    """The times a clock in `zone` shows twice, as [start, end) of the wall clock, per change."""
    found, day = [], date(first_year, 1, 1)
    while day.year <= last_year:
        noon, next_noon = (datetime.combine(d, time(12)) for d in (day, day + timedelta(days=1)))
        first, second = (m.replace(tzinfo=ZoneInfo(zone)).utcoffset() for m in (noon, next_noon))
        if first is not None and second is not None and second < first:
            minute = timedelta(minutes=1)
            clock = noon
            while not _repeated(clock, zone):
                clock += minute
            found.append((clock, clock + _repeated(clock, zone)))
        day += timedelta(days=1)
    return tuple(found)
