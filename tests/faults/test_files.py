"""Disks that fill, memory that ends, files that are damaged or lost, folders that are wiped."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from extract import landing
from kehu.errors import KehuError, LandingError
from tests.faults import steps
from tests.faults.conftest import Counted, times
from tests.faults.house import DAY, House
from tests.faults.steps import Given
from tests.faults.test_sources import MANY
from warehouse import connection
from warehouse.admission import admit
from warehouse.backup import back_up, restore
from warehouse.rebuild import rebuild

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(2400)]


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of a fixed size at `folder`, with what was in it."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder.with_name(f"{folder.name}-kept")
    shutil.copytree(folder, kept, symlinks=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        shutil.rmtree(kept)
        pytest.skip("a small disk can be mounted by an administrator only")
    try:
        shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
        yield
        shutil.rmtree(kept)
        shutil.copytree(folder, kept, symlinks=True)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder)
        kept.rename(folder)


@pytest.mark.fault(17, "file system of a fixed size, full, at landing, warehouse and published")
@pytest.mark.parametrize("place", ["landing", "warehouse", "published"])
def test_the_disk_is_full(place: str, house: House, clean: House) -> None:
    house.source.run(MANY.format(20_000))
    clean.go("run-0")
    house.go("run-0")
    readers = house.publish("run-0")
    house.source.run(
        "update billing.payments set amount = amount + 0.01,"
        " updated_at = updated_at + interval '1 day' where payment_no like 'M%'"
    )
    before = house.state()
    folder = house.settings.home / place
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    room = {"landing": 200_000, "warehouse": 300_000, "published": 20_000}[place]
    with small_disk(folder, str((size + room) // 4096 * 4096 + 65_536)):
        with pytest.raises(KehuError) as stopped:
            house.go("run-1")
            house.publish("run-1")
        assert str(folder) in stopped.value.where or "landing" not in place
        assert "space" in stopped.value.do
        assert house.published() == readers
        if place != "published":
            assert house.state() == before
        house.check_nothing_is_left()
    house.go("run-1")
    clean.go("run-1")
    assert house.state(history=False) == clean.state(history=False)
    assert house.publish("run-2") == clean.publish("run-2")
    house.check()


@pytest.mark.fault(18, "ten times the rows with 500 MB for DuckDB and 3 GB of address space")
def test_memory_is_limited(house: House, tmp_path: Path, counted: Counted) -> None:
    rows = times(600_000, 100_000)
    house.source.run(MANY.format(rows))
    house.settings = replace(house.settings, memory="500MB")
    given = Given("run-0", DAY)
    for step in (*steps.ROUND,):
        ended = steps.start(
            step, house.settings, given, tmp_path / "papers",
            limits=[(resource.RLIMIT_AS, 3 << 30)],
        ).wait(600)  # fmt: skip
        assert ended.code == 0, (step, ended.error)
        given = Given(given.run_id, DAY, ended.addresses)
    house.check()
    counted("rows", rows)


@pytest.mark.fault(24, "one bit of data, keys, passed or quarantine turned, at random places")
def test_every_flipped_bit_is_found(house: House, counted: Counted) -> None:
    batches = house.extract("run-0")
    house.gate(batches)
    contracts = {contract.table: contract for contract in house.contracts}
    files = [(batch, path) for batch in batches for path in sorted(batch.path.glob("*.parquet"))]
    chance, flips, silent = random.Random(24), times(60, 20), 0
    for number in range(flips):
        batch, path = files[number % len(files)]
        good = path.read_bytes()
        data = bytearray(good)
        at = chance.randrange(len(data))
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        try:
            admit(batch, contracts[batch.table])
            silent += 1
        except LandingError as error:
            assert str(path) in error.where
        with pytest.raises(LandingError):
            house.load(batches)
        path.write_bytes(good)
    assert silent == 0
    assert house.state() == {}, "something was written before the files were looked at"
    house.load(batches)
    house.check()
    counted("flips", flips)
    counted("silent", silent)


@pytest.mark.fault(24, "file cut, emptied, of another schema, exchanged; then read again")
def test_every_damaged_file_is_found_and_read_again(house: House, clean: House) -> None:
    batches = house.extract("run-0")
    house.gate(batches)
    bills, payments = (next(b for b in batches if b.table == t) for t in ("bills", "payments"))
    for damage in ("cut", "empty", "exchanged", "missing", "of yesterday"):
        good = bills.passed.read_bytes()
        if damage == "missing":
            bills.passed.unlink()
        else:
            other = payments.passed.read_bytes()
            bills.passed.write_bytes(
                {"cut": good[:-100], "empty": b"", "exchanged": other,
                 "of yesterday": bills.data.read_bytes()}[damage]
            )  # fmt: skip
        with pytest.raises(LandingError) as stopped:
            house.load(batches)
        assert str(bills.passed) in stopped.value.where, damage
        assert house.state() == {}
        bills.passed.write_bytes(good)
    bills.data.write_bytes(b"")
    with pytest.raises(LandingError):
        house.load(batches)
    # of this table only: the others load, it is read again
    house.load([batch for batch in batches if batch is not bills])
    again = house.extract("run-1", table="bills", watermarks={})
    house.gate(again)
    house.load(again, "run-1")
    clean.go("run-0")
    assert house.state() == clean.state()
    house.check()


@pytest.mark.fault(25, "bytes of the working file turned; restored from the backup, or rebuilt")
def test_a_damaged_warehouse(house: House, counted: Counted) -> None:
    house.go("run-0")
    back_up(house.settings)
    house.go("run-1", house.source.move(1))
    whole, published = house.state(), house.publish("run-1")
    good, chance, found = house.settings.work_file.read_bytes(), random.Random(25), 0
    for _ in range(times(30, 6)):
        data = bytearray(good)
        for _ in range(20):
            data[chance.randrange(len(data))] ^= 0xFF
        house.settings.work_file.write_bytes(data)
        try:
            assert house.state() == whole, "wrong in silence"
        except (KehuError, connection.Error):
            found += 1
        assert house.published() == published
    assert found
    for mend in (lambda: restore(house.settings), lambda: rebuild(house.settings)):
        data = bytearray(good)
        data[len(data) // 2] ^= 0xFF
        data[4096 * 3 + 10] ^= 0xFF
        house.settings.work_file.write_bytes(data)
        began = time.monotonic()
        mend()
        assert house.state() == whole
        assert house.publish("run-2") == published
        assert time.monotonic() - began < 120
        house.source.ask("select 1")
    counted("damaged", times(30, 6))
    counted("loud", found)


HOLD = """
import sys, time, duckdb
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
time.sleep(float(sys.argv[3]))
"""


@pytest.mark.fault(26, "working file held by a reader or a writer, for a while or for ever")
@pytest.mark.parametrize("how", ["read", "write"])
def test_the_working_file_is_held(how: str, house: House, clean: House) -> None:
    house.go("run-0")
    clean.go("run-0")
    day = house.source.move(1)
    batches = house.extract("run-1", day)
    house.gate(batches)

    def hold(seconds: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, str(house.settings.work_file), how, str(seconds)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        return process

    holder = hold(600)
    try:
        given = Given("run-1", day, tuple(str(batch.address) for batch in batches))
        waiting = steps.start("load", house.settings, given, house.settings.home.parent / "papers")
        time.sleep(times(30, 3))
        assert waiting.process.is_alive(), "it gave up at once"
    finally:
        holder.kill()
        holder.wait()
    assert waiting.wait().code == 0
    clean.go("run-1", day)
    assert house.state() == clean.state()
    holder = hold(600)
    try:
        with (
            pytest.raises(KehuError, match=f"held by PID {holder.pid}"),
            connection.write(house.settings, wait_seconds=1),
        ):
            pass
    finally:
        holder.kill()
        holder.wait()
    house.check()


@pytest.mark.fault(29, "working file and its folder deleted; rebuilt from landing alone")
def test_the_warehouse_is_lost(house: House, counted: Counted) -> None:
    house.go("run-0")
    for number in (1, 2):
        house.go(f"run-{number}", house.source.move(number))
    whole, published = house.state(), house.publish("run-2")
    shutil.rmtree(house.settings.work_file.parent)
    batches = rebuild(house.settings)
    assert house.state() == whole
    assert house.publish("run-3") == published
    house.check()
    counted("batches", batches)


@pytest.mark.fault(30, "landing deleted; read again, history from the warehouse")
def test_landing_is_lost(house: House, clean: House) -> None:
    house.go("run-0")
    day = house.source.move(1)
    house.go("run-1", day)
    with connection.read(house.settings) as con:
        history = con.execute(
            "select count(*) from raw.billing__payments where not _is_current or _is_deleted"
        ).fetchone()
    shutil.rmtree(house.settings.landing)
    published = house.publish("run-1")
    with pytest.raises(KehuError, match="lacks"):
        rebuild(house.settings)
    report = house.report("run-1", day).read_text()
    assert "landing no longer holds the batch" in report
    again = house.go("run-2", day, full=True)
    assert sum(result.loaded for result in again.values()) == 0
    assert house.publish("run-2") == published
    clean.go("run-0", day)
    assert house.state(history=False) == clean.state(history=False)
    with connection.read(house.settings) as con:
        assert (
            history
            == con.execute(
                "select count(*) from raw.billing__payments where not _is_current or _is_deleted"
            ).fetchone()
        )
    house.check()


@pytest.mark.fault(31, "every folder wiped but landing, warehouse and published")
def test_work_folders_are_wiped(house: House, clean: House) -> None:
    house.go("run-0")
    published = house.publish("run-0")
    day = house.source.move(1)
    for path in house.settings.home.iterdir():
        if path.name not in ("landing", "warehouse", "published"):
            shutil.rmtree(path)
    shutil.rmtree(house.settings.work_file.parent / "tmp", ignore_errors=True)
    assert house.published() == published
    house.go("run-1", day)
    clean.go("run-0", day)
    assert house.go("run-2", day)["payments"].loaded == 0
    assert house.state(history=False) == clean.state(history=False)
    house.check()


@pytest.mark.fault(17, "a folder that may not be written to any more ")
def test_a_folder_is_read_only(house: House, clean: House) -> None:
    house.go("run-0")
    clean.go("run-0")
    day = house.source.move(1)
    folder = house.settings.landing / "billing"
    # root passes rights by; an immutable mount does not let even root through
    bound = subprocess.run(["mount", "--bind", str(folder), str(folder)], check=False)
    if bound.returncode:
        pytest.skip("a read-only folder can be mounted by an administrator only")
    before = house.state()
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        with pytest.raises(LandingError, match="cannot be written") as stopped:
            house.go("run-1", day)
        assert str(folder) in stopped.value.where
        assert house.state() == before
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    house.go("run-1", day)
    clean.go("run-1", day)
    assert house.state() == clean.state()
    house.check()
    assert landing.batches(house.settings.landing)
