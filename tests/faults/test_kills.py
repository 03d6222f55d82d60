"""A process that dies anywhere, of whatever cause, leaves what the next try makes whole."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.faults import steps
from tests.faults.conftest import Counted, times
from tests.faults.house import DAY, House
from tests.faults.steps import Given

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(3600)]

SHARE = {"extract": 22, "gate": 20, "load": 34, "marts": 10, "publish": 26}
"""Kills per step of a full run; a step has some 30 to 150 points."""


@pytest.mark.fault(15, "kill -9 before points of extract, gate, load, marts and publish")
def test_killed_anywhere(house: House, tmp_path: Path, counted: Counted) -> None:
    house.go("run-0")
    house.publish("run-0")
    day = house.source.move(1)
    given, before, points = Given("run-1", day), {}, {}
    for step in steps.ROUND:
        # what a step finds: from here each of its kills starts
        before[step] = (house.copy(tmp_path / f"before-{step}"), given)
        ended = steps.start(step, house.settings, given, tmp_path / "papers").wait()
        assert ended.code == 0, ended.error
        points[step] = ended.points
        given = Given("run-1", day, ended.addresses)
    whole, published = house.state(), house.published()
    house.check()

    kills, met = 0, set()
    for step, names in points.items():
        wanted = min(times(SHARE[step], 2), len(names))
        for number in sorted({round((n + 0.5) * len(names) / wanted) for n in range(wanted)}):
            struck, given = before[step]
            struck = struck.copy(tmp_path / "struck")
            died = steps.start(
                step, struck.settings, given, tmp_path / "papers", die_at=max(number, 1)
            ).wait()
            assert died.code == -signal.SIGKILL, (step, number, died.error)
            what = f"{step}:{number} before {died.points[-1]!r}"
            met.add((step, died.points[-1]))
            _try_again(struck, given, step, tmp_path)
            assert struck.state() == whole, what
            assert struck.published() == published, what
            struck.check()
            kills += 1
            if kills % 10 == 1:
                # a run without changes: nothing new, nothing again
                struck.go("run-2", day)
                assert struck.publish("run-2", day) == published, what
                assert struck.state(history=False) == house.state(history=False), what
            shutil.rmtree(struck.settings.home)
    assert kills >= times(100, 8)
    counted("kills", kills)
    counted("different points", len(met))


def _try_again(struck: House, given: Given, step: str, tmp_path: Path) -> None:
    """What the scheduler does: the task once more, then those after it."""
    for next_step in steps.ROUND[steps.ROUND.index(step) :]:
        ended = steps.start(next_step, struck.settings, given, tmp_path / "papers").wait()
        assert ended.code == 0, (step, next_step, ended.error)
        given = Given(given.run_id, given.day, ended.addresses)


@pytest.mark.fault(36, "SIGTERM in the middle of extract, gate and load")
def test_stopped_anywhere(house: House, clean: House, tmp_path: Path, counted: Counted) -> None:
    """SIGTERM ends the process; what it had not committed is gone, the next try is whole."""
    clean.go("run-0")
    given, stops = Given("run-0", DAY), 0
    for step in steps.INGEST:
        for number in range(3, 3 + times(8, 1) * 4, 4):
            struck = house.copy(tmp_path / "struck") if house.settings.home.exists() else house
            papers = tmp_path / "papers"
            died = steps.start(
                step, struck.settings, given, papers, die_at=number, by=signal.SIGTERM
            ).wait()
            assert died.code in (-signal.SIGTERM, 0), died.error
            stops += 1
            if struck is not house:
                ended = steps.start(step, struck.settings, given, papers).wait()
                assert ended.code == 0, ended.error
                shutil.rmtree(struck.settings.home)
        ended = steps.start(step, house.settings, given, tmp_path / "papers").wait()
        assert ended.code == 0, ended.error
        given = Given(given.run_id, given.day, ended.addresses)
    assert house.state() == clean.state()
    house.check()
    counted("stops", stops)
