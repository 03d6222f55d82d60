"""A load that is killed at any step leaves nothing of it, and the next load is as the first."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from extract.landing import Batch
from kehu.settings import CLONE, Settings
from tests.warehouse.landed import ACCOUNTS, PAYMENTS, at, land, payment, settings_at
from warehouse import connection, raw

BOTH = [PAYMENTS, ACCOUNTS]

CHILD = """
import os, signal, sys
from pathlib import Path
from extract import contract
from extract.landing import Batch
from kehu import settings
from warehouse import books, deletes, raw, versions

settings, point = settings.load({"KEHU_HOME": sys.argv[1]}), sys.argv[2]
folder = settings.contract_dirs[0] / "billing"
contracts = [contract.read(folder / f"{name}.yaml") for name in ("payments", "accounts")]

def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)

def dying_after(function):
    def run(*arguments, **named):
        result = function(*arguments, **named)
        die()
    return run

if point == "staged":
    versions._decide = die
elif point == "inserted":
    versions._insert = dying_after(versions._insert)
elif point == "closed":
    deletes.close = dying_after(deletes.close)
elif point == "one table recorded":
    books.enter = dying_after(books.enter)
elif point == "before commit":
    # the connection is a C type, so the last step before the commit is wrapped instead
    seen = []
    record = raw.load_one
    def last(*arguments):
        result = record(*arguments)
        seen.append(1)
        len(seen) == 2 and die()
        return result
    raw.load_one = last
batches = [Batch.at(settings.landing, address) for address in sys.argv[3:]]
raw.load_all(batches, settings, "killed", contracts)
if point == "committed":
    die()
"""


def child(settings: Settings, point: str, batches: list[Batch]) -> int:
    addresses = [str(batch.address) for batch in batches]
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(settings.home), point, *addresses],
        env={"PYTHONPATH": str(CLONE), "PATH": ""},
        check=False,
    ).returncode


def state(settings: Settings) -> list[list[tuple[Any, ...]]]:
    with connection.read(settings) as con:
        return [
            con.execute(sql).fetchall()
            for sql in (
                "select * exclude (_loaded_at) from raw.billing__payments order by all",
                "select * exclude (_loaded_at) from raw.billing__accounts order by all",
                "select batch, system from ops.ledger order by all",
                'select system, "table", watermark from ops.watermarks order by all',
                "select batch, loaded, deleted from ops.reconciliation order by all",
            )
        ]


@pytest.mark.fault(15, "kill -9 at the named steps of a load")
def test_killed_at_every_step(tmp_path: Path) -> None:
    accounts = [{"account_no": f"A{n}", "updated_at": at(0)} for n in range(5)]
    settings = settings_at(tmp_path / "home")
    before = [
        land(settings, PAYMENTS, [payment(n) for n in range(10)]),
        land(settings, ACCOUNTS, accounts),
    ]
    changed = [payment(n, "77.00", minute=5) for n in range(5)]
    batches = [
        land(settings, PAYMENTS, changed, keys=[payment(n) for n in range(9)]),
        land(
            settings,
            ACCOUNTS,
            [{"account_no": "A9", "updated_at": at(9)}],
            keys=[*accounts, {"account_no": "A9"}],
        ),
    ]
    raw.load_all(before, settings, "run-1", BOTH)
    clean = state(settings)
    points = ("staged", "inserted", "closed", "one table recorded", "before commit")
    for point in points:
        assert child(settings, point, batches) == -signal.SIGKILL, point
        assert state(settings) == clean, point
        left = {path.name for path in settings.work_file.parent.iterdir()}
        assert left <= {"kehu-work.duckdb", "kehu-work.duckdb.wal", "tmp"}, point
    assert child(settings, "committed", batches) == -signal.SIGKILL
    loaded = state(settings)
    assert loaded != clean
    assert all(result.skipped for result in raw.load_all(batches, settings, "run-2", BOTH))
    assert state(settings) == loaded
    again = settings_at(tmp_path / "again")
    again.landing.parent.mkdir()
    again.landing.symlink_to(settings.landing)
    raw.load_all(before, again, "run-1", BOTH)
    raw.load_all(batches, again, "run-2", BOTH)
    assert state(again) == loaded


@pytest.mark.parametrize("rows", [30_000])
@pytest.mark.fault(15, "kill -9 of a load by the clock")
def test_killed_somewhere_in_the_middle(tmp_path: Path, rows: int) -> None:
    """By the clock instead of by the step: either nothing of the batch is there, or all."""
    settings = settings_at(tmp_path / "home")
    batch = land(settings, PAYMENTS, [payment(n) for n in range(rows)])
    raw.create_all([PAYMENTS], settings)
    for pause in (0.5, 0.7, 0.9, 1.1):
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(settings.home), "none", str(batch.address)],
            env={"PYTHONPATH": str(CLONE), "PATH": ""},
        )
        try:
            process.wait(pause)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with connection.read(settings) as con:
            counts = con.execute(
                "select (select count(*) from raw.billing__payments),"
                " (select count(*) from ops.ledger), (select count(*) from ops.watermarks)"
            ).fetchone()
        assert counts in ((0, 0, 0), (rows, 1, 1)), pause
    raw.load_batch(batch, PAYMENTS, settings, "run-2")
    with connection.read(settings) as con:
        assert con.execute("select count(*) from raw.billing__payments").fetchone() == (rows,)


FULL_DISK = """
import resource, sys
from extract import contract
from extract.landing import Batch
from kehu import settings
from kehu.errors import WarehouseError
from warehouse import raw

here = settings.load({"KEHU_HOME": sys.argv[1]})
payments = contract.read(here.contract_dirs[0] / "billing" / "payments.yaml")
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    raw.load_batch(Batch.at(here.landing, sys.argv[3]), payments, here, "full")
except WarehouseError as error:
    print(error)
    sys.exit(3)
"""


@pytest.mark.parametrize("more", [0, 300_000])
@pytest.mark.fault(17, "files of the warehouse limited in size")
def test_a_full_disk_loads_nothing_and_says_so(tmp_path: Path, more: int) -> None:
    settings = settings_at(tmp_path / "home")
    first = [payment(n) for n in range(100)]
    raw.load_batch(land(settings, PAYMENTS, first), PAYMENTS, settings, "run-1")
    rows = [payment(n, f"{n}.77", minute=n) for n in range(60_000)]
    batch = land(settings, PAYMENTS, rows)
    limit = settings.work_file.stat().st_size + more
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(settings.home), str(limit), str(batch.address)],
        env={"PYTHONPATH": str(CLONE), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 3, result.stderr
    assert "free space" in result.stdout
    with connection.read(settings) as con:
        assert con.execute("select count(*) from raw.billing__payments").fetchone() == (100,)
        assert con.execute("select count(*) from ops.ledger").fetchone() == (1,)
    assert raw.load_batch(batch, PAYMENTS, settings, "run-2").loaded == 60_000
