"""Builds that break, tests that fail, checks that never ran: readers keep what they have.

The real project on the embedded sources of a few customers: read, judged, loaded and built once for
all tests of this file, then copied for each fault.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from kehu.errors import KehuError, ValidationError
from kehu.settings import CLONE, SYSTEMS, Settings, load
from tests.faults import steps
from tests.faults.conftest import Counted, times
from tests.faults.house import House
from tests.faults.steps import Given, Outcome
from tests.warehouse import test_publish as publications
from tests.warehouse.landed import settings_at
from warehouse import connection, publish, runs
from warehouse.hashes import table_hashes

pytestmark = pytest.mark.timeout(3600)
CUSTOMERS = 60
DAY = date(2026, 1, 31)
Files = set[str]


@dataclass
class Whole:
    """A house with all four systems, every model built, tested and published."""

    settings: Settings
    hashes: dict[str, str]
    raw: dict[str, str]

    def copy(self, home: Path) -> Settings:
        shutil.copytree(self.settings.home, home, symlinks=True)
        return replace(
            self.settings,
            home=home,
            source_urls={s: self.settings.source_url(s) for s in SYSTEMS},
        )


def run_step(
    step: str,
    settings: Settings,
    run_id: str,
    papers: Path,
    die_at: int | None = None,
    model: str = "",
) -> Outcome:
    environment = {
        "KEHU_HOME": str(settings.home),
        "KEHU_WORK_FILE": str(settings.work_file),
        "FAULT_MODEL": model,
    }
    given = Given(run_id, DAY)
    started = steps.start(step, settings, given, papers, die_at=die_at, environment=environment)
    return started.wait(900)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    root = tmp_path_factory.mktemp("whole")
    settings = replace(load({"KEHU_HOME": str(root / "house")}), memory="1GB")
    subprocess.run(
        [sys.executable, "-m", "demo", "create", "--customers", str(CUSTOMERS)],
        cwd=CLONE,
        env={**os.environ, "KEHU_HOME": str(settings.home), "PYTHONPATH": str(CLONE)},
        check=True,
        capture_output=True,
    )
    for system in SYSTEMS:
        given = Given(f"run-{system}", DAY, system=system)
        for step in steps.INGEST:
            ended = steps.start(step, settings, given, root / "papers").wait()
            assert ended.code == 0, ended.error
            given = replace(given, addresses=ended.addresses)
    # Twice: what a build tells of itself against the one before it is the same from then on.
    for step in ("build", "build", "audited"):
        ended = run_step(step, settings, "run-0", root / "papers")
        assert ended.code == 0, ended.error
    raw = {n: h for n, h in table_hashes(settings.work_file).items() if n.startswith("raw.")}
    yield Whole(settings, table_hashes(settings.published_file), raw)
    shutil.rmtree(root)


def finish(settings: Settings, papers: Path) -> dict[str, str]:
    """Build and publish again, as the scheduler would; gives the hashes that readers see."""
    for step in ("build", "audited"):
        ended = run_step(step, settings, "run-again", papers)
        assert ended.code == 0, ended.error
    left = [p for p in settings.published.rglob(".*") if p.name != ".publishing"]
    assert left == []
    return table_hashes(settings.published_file)


@pytest.mark.long
@pytest.mark.fault(15, "kill -9 before points of the real dbt build and of its publication")
@pytest.mark.fault(37, "kill -9 of dbt in the middle of the build: nothing is published")
def test_killed_while_dbt_builds(whole: Whole, tmp_path: Path, counted: Counted) -> None:
    dry = whole.copy(tmp_path / "dry")
    papers, kills = tmp_path / "papers", 0
    points = {step: run_step(step, dry, "run-1", papers).points for step in ("build", "audited")}
    for step, number_of in (("build", times(5, 1)), ("audited", times(8, 1))):
        struck = whole.copy(tmp_path / f"struck-{step}")
        for n in range(number_of):
            die_at = round((n + 0.5) * len(points[step]) / number_of)
            if step == "audited":
                # every publication is of a whole build
                with connection.write(struck) as con:
                    con.execute("update ops.runs set status = 'success'")
            before = publish.versions(struck)
            died = run_step(step, struck, "run-2", papers, die_at=die_at)
            assert died.code == -signal.SIGKILL, (step, die_at, died.error)
            assert table_hashes(struck.published_file) == whole.hashes, (step, die_at)
            if step == "build":
                assert publish.versions(struck) == before
                with pytest.raises(KehuError, match="nothing whole to publish"):
                    runs.built_run(struck)
            kills += 1
        assert finish(struck, papers) == whole.hashes
        shutil.rmtree(struck.home)
    counted("kills", kills)


@pytest.mark.long
@pytest.mark.fault(22, "a model of each of several layers made to fail in the middle of the build")
def test_a_model_fails(whole: Whole, tmp_path: Path, counted: Counted) -> None:
    """The layers after it are not built, and nothing is published until a build is whole."""
    struck = whole.copy(tmp_path / "struck")
    models = ("stg_billing__bills", "fct_receivables", "customer_metrics", "credit_grades")
    for model in models[: times(4, 1)]:
        ended = run_step("build", struck, "run-1", tmp_path / "papers", model=model)
        assert ended.code == 1, "the build did not notice"
        assert f"model {model} could not be built" in ended.error
        refused = run_step("audited", struck, "run-1", tmp_path / "papers")
        assert refused.code == 1
        assert "nothing whole to publish" in refused.error
        assert table_hashes(struck.published_file) == whole.hashes
    assert finish(struck, tmp_path / "papers") == whole.hashes
    counted("models failed", len(models[: times(4, 1)]))


@pytest.mark.long
@pytest.mark.fault(23, "a row that breaks a data test, planted in raw")
def test_a_test_of_data_fails(whole: Whole, tmp_path: Path) -> None:
    struck = whole.copy(tmp_path / "struck")
    with connection.write(struck) as con:
        con.execute("create table ops.kept as select * from raw.billing__bills")
        con.execute(
            "insert into raw.billing__bills select * from ops.kept where _is_current limit 1"
        )
    ended = run_step("build", struck, "run-1", tmp_path / "papers")
    assert ended.code == 1, "no test noticed a second current row of a key"
    assert "test " in ended.error and "found" in ended.error
    refused = run_step("audited", struck, "run-1", tmp_path / "papers")
    assert refused.code == 1
    assert table_hashes(struck.published_file) == whole.hashes
    with connection.write(struck) as con:
        con.execute("delete from raw.billing__bills")
        con.execute("insert into raw.billing__bills select * from ops.kept")
        con.execute("drop table ops.kept")
    assert finish(struck, tmp_path / "papers") == whole.hashes


@pytest.mark.long
@pytest.mark.fault(28, "Airflow's database deleted between two rounds")
@pytest.mark.fault(31, "Airflow's home and dbt's target deleted between two rounds")
def test_airflow_forgets_everything(whole: Whole, tmp_path: Path) -> None:
    """What is loaded is known where the data is: the next round repeats and loses nothing."""
    struck = whole.copy(tmp_path / "struck")
    for _ in range(2):
        shutil.rmtree(struck.home / "airflow", ignore_errors=True)
        shutil.rmtree(struck.home / "dbt", ignore_errors=True)
        done = subprocess.run(
            [sys.executable, "-m", "dags", "run", "--day", DAY.isoformat()],
            cwd=CLONE,
            env={
                **{
                    k: v
                    for k, v in os.environ.items()
                    if not k.startswith(("DBT_", "AIRFLOW_HOME"))
                },
                "KEHU_HOME": str(struck.home),
                "PYTHONPATH": str(CLONE),
                **{f"KEHU_{s.upper()}_URL": struck.source_url(s) for s in SYSTEMS},
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        assert table_hashes(struck.published_file) == whole.hashes
    assert {n: h for n, h in table_hashes(struck.work_file).items() if n in whole.raw} == whole.raw


@pytest.mark.postgres
@pytest.mark.fault(37, "Great Expectations killed, out of memory, and cut off: nothing is loaded")
def test_no_validation_is_no_success(
    house: House, clean: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clean.go("run-0")
    batches = house.extract("run-0")
    given = Given("run-0", DAY, tuple(str(batch.address) for batch in batches))
    died = steps.start("gate", house.settings, given, tmp_path / "papers", die_at=2).wait()
    assert died.code == -signal.SIGKILL
    with pytest.raises(KehuError) as refused:
        house.load(batches)
    assert "not validated" in refused.value.what
    assert house.state() == {}
    from expectations.engine import Engine

    def out_of_memory(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(Engine, "check", out_of_memory)
        with pytest.raises(ValidationError, match="there is no verdict"):
            house.gate(batches)
    with pytest.raises(KehuError):
        house.load(batches)
    assert house.state() == {}
    house.gate(batches)
    house.load(batches)
    assert house.state() == clean.state()
    house.check()


@pytest.mark.fault(27, "readers in processes of their own while publications are switched")
def test_readers_see_old_or_new(tmp_path: Path, counted: Counted) -> None:
    settings = settings_at(tmp_path / "home")
    publish.publish(settings, publications.build(settings, 0, rows=200))
    stop, number_of, rounds = tmp_path / "stop", times(10, 3), times(50, 6)
    command = [sys.executable, "-c", publications.READER, str(settings.published_file), str(stop)]
    readers = [
        subprocess.Popen(
            [*command, " ".join(publications.MARTS), "direct" if n % 2 else "module"],
            env={"PYTHONPATH": str(CLONE), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(number_of)
    ]
    try:
        for reader in readers:
            assert reader.stdout is not None and reader.stdout.readline() == "reading\n"
        for number in range(1, rounds + 1):
            with connection.write(settings) as con:
                for mart in publications.MARTS:
                    con.execute(f"update {mart} set build = {number}")
            publish.publish(settings, f"run-{number}")
        stop.touch()
        reads, seen = 0, set()
        for reader in readers:
            out, err = reader.communicate(timeout=120)
            assert reader.returncode == 0, err
            count, *run_ids = out.split()
            reads += int(count)
            seen |= set(run_ids)
    finally:
        for reader in readers:
            reader.kill()
    assert len(seen) > 3, "nobody read while publications were switched"
    counted("readers", number_of)
    counted("publications", rounds)
    counted("reads", reads)


@pytest.mark.postgres
@pytest.mark.fault(12, "a batch that breaks its parser every time; the others go on; replayed")
def test_a_poisoned_batch(
    house: House, clean: House, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    from expectations import quarantine

    clean.go("run-0")
    batches = house.extract("run-0")
    bills = next(batch for batch in batches if batch.table == "bills")
    divide = quarantine.divide

    def poisoned(batch, *given):  # type: ignore[no-untyped-def]
        if batch.table == "bills":
            raise ValueError("a cell that must not be told: 4711")
        return divide(batch, *given)

    with monkeypatch.context() as broken:
        broken.setattr(quarantine, "divide", poisoned)
        tries = 3
        for _ in range(tries):
            with pytest.raises(ValidationError, match="broke off") as stopped:
                house.gate(batches)
            assert "4711" not in str(stopped.value)
        others = [batch for batch in batches if batch is not bills]
        house.gate(others)
        house.load(others)
        with pytest.raises(KehuError, match="not validated"):
            house.load([bills])
    house.gate([bills])
    house.load([bills])
    assert house.state() == clean.state()
    house.check()
    assert json.loads((bills.path / "verdict.json").read_text())["passed"]
    counted("tries", 3)
